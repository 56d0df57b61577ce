"""What is seen of a server from outside: log, metrics, traces; never what users say."""
