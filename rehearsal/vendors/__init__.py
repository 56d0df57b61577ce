"""Who plays which provider: a cloud's types of resources, held to the vendor's own API model."""
