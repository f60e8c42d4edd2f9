// Socket calls that Swift does not see, or whose types would belong to this module in Swift.
#pragma once
#include <stddef.h>

// accept4() for a socket that does not block and is not inherited; `address` has room for `*size` bytes.
int cmhd_accept(int listener, void *address, unsigned *size);

// socketpair() for two stream sockets that do not block and are not inherited.
int cmhd_socket_pair(int *near, int *far);

// How many bytes that were sent have not reached the peer's socket (TCP), or were not read by it (Unix); -1 if that is not known.
int cmhd_unreceived(int socket);

// What is known of the socket at the other end of a connection whose peer has ended its sending side: one that was closed has done so as
// well. The system knows where both ends are its own, in one network namespace.
enum cmhd_peer { CMHD_PEER_UNKNOWN, CMHD_PEER_OPEN, CMHD_PEER_CLOSED };
enum cmhd_peer cmhd_peer(int socket);
