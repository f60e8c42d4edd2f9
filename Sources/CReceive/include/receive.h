// Lets bytes be looked at on their way from a socket to a library that calls recv() by itself, and be taken from elsewhere where
// it calls send().
#pragma once
#include <stddef.h>
#include <sys/types.h>

// Reads for the library; returns as recv() does, with errno.
typedef ssize_t (*creceive_reader)(void *context, int socket, void *bytes, size_t room, int flags);

// From now on, what this thread receives goes through `reader`.
void creceive_begin(creceive_reader reader, void *context);
// No more.
void creceive_end(void);
// What recv() does.
ssize_t creceive(int socket, void *bytes, size_t room, int flags);
// Whether shared libraries get this program's recv().
int creceive_is_used(void);

// Sends for the library; returns as send() does, with errno.
typedef ssize_t (*creceive_sender)(void *context, int socket, const void *bytes, size_t count, int flags);

// From now on, what this thread sends goes through `sender`; no more with NULL.
void creceive_divert_sends(creceive_sender sender, void *context);
// What send() does.
ssize_t creceive_send(int socket, const void *bytes, size_t count, int flags);
// Whether shared libraries get this program's send().
int creceive_sends_are_used(void);

// What accept4() does for a socket that does not block and is not inherited; `address` has room for `*size` bytes. Swift does not see
// accept4().
int creceive_client(int listener, void *address, unsigned *size);

// What socketpair() does for two stream sockets that do not block and are not inherited. What Swift sees of <sys/socket.h> would belong to
// whichever C module it is met in first.
int creceive_pair(int *near, int *far);

// What is known of the socket at the other end of a connection whose peer has ended its sending side: one that was closed has done so as
// well. The system knows where both ends are its own, in one network namespace.
enum creceive_peer { CRECEIVE_PEER_UNKNOWN, CRECEIVE_PEER_OPEN, CRECEIVE_PEER_CLOSED };
enum creceive_peer creceive_peer(int socket);

// What recv() is above, gnutls_record_recv() is here: what came through TLS. `session` is GnuTLS's, `socket` the one that it reads from; returns as
// gnutls_record_recv() does.
typedef ssize_t (*creceive_record_reader)(void *context, void *session, int socket, void *bytes, size_t room);

// The same for gnutls_handshake().
typedef int (*creceive_handshaker)(void *context, void *session, int socket);

// From now on, what this thread takes out of TLS goes through `reader`, and its handshakes through `handshaker`. GnuTLS itself reads with
// recv(), or otherwise.
void creceive_begin_records(creceive_record_reader reader, creceive_handshaker handshaker, void *context);
// No more.
void creceive_end_records(void);
// What gnutls_record_recv() does.
ssize_t creceive_record(void *session, void *bytes, size_t room);
// What gnutls_handshake() does.
int creceive_handshake(void *session);
// What send() is above, gnutls_record_send() is here; returns as that does.
typedef ssize_t (*creceive_record_sender)(void *context, void *session, int socket, const void *bytes, size_t count);

// From now on, what this thread sends through TLS goes through `sender`; no more with NULL.
void creceive_divert_records(creceive_record_sender sender, void *context);
// What gnutls_record_send() does.
ssize_t creceive_send_record(void *session, const void *bytes, size_t count);
// Whether shared libraries get this program's gnutls_record_recv(), gnutls_record_send() and gnutls_handshake().
int creceive_records_are_used(void);
