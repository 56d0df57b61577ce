"""Stand-ins for the clouds' provider plugins, on the real engine: what a provider refuses, names and answers.

wire.py        the same as protobuf
service.py     the engine's calls, handed to a cloud's behaviours
behaviour.py   what one type of resource does: check, diff, create, read, update, delete
changes.py     two trees compared, path by path
naming.py      physical names made from logical ones
cloud.py       a cloud: its package, its types of resources, its functions
playing.py     whom they play, and that they play in rehearsals only
server.py      the gRPC server and its leaving
"""
