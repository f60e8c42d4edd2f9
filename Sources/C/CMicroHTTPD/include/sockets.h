// Socket calls that Swift cannot import, or whose types would belong to this module in Swift.
#pragma once
#include <stddef.h>

// accept4() for a non-blocking socket that is not inherited; `address` has room for `*size` bytes.
int cmhd_accept(int listener, void *address, unsigned *size);

// socketpair() for two non-blocking stream sockets that are not inherited.
int cmhd_socket_pair(int *near, int *far);

// How many sent bytes have not reached the peer's socket (TCP) or were not read by it (Unix); -1 if unknown.
int cmhd_unreceived(int socket);

// What is known about the socket at the other end of a connection whose peer has ended its sending side, or closed
// the socket. The system knows it if both ends are its own, in one network namespace.
enum cmhd_peer { CMHD_PEER_UNKNOWN, CMHD_PEER_OPEN, CMHD_PEER_CLOSED };
enum cmhd_peer cmhd_peer(int socket);
