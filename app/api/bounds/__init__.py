"""How much one client and all of them may ask, at one time and in a minute."""
