"""A zygote whose forks connect to the port that it was told: see test_jail.py."""

import socket
import sys


def enter() -> None:
    socket.create_connection(("127.0.0.1", int(sys.argv[1]))).recv(1)
