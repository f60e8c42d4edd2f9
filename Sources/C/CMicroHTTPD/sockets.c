#define _GNU_SOURCE
#include "sockets.h"
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// The address and port of one end; 0 if it is not an Internet address. An IPv4 address mapped into IPv6 is converted
// back: the other end may be a socket of either family.
static int read_end(const struct sockaddr_storage *end, __be32 address[4], __be16 *port, __u32 *interface) {
    if (end->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)end;
        address[0] = v4->sin_addr.s_addr;
        *port = v4->sin_port;
        return AF_INET;
    }
    if (end->ss_family != AF_INET6) return 0;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)end;
    *port = v6->sin6_port;
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        memcpy(address, v6->sin6_addr.s6_addr + 12, 4);
        return AF_INET;
    }
    memcpy(address, v6->sin6_addr.s6_addr, 16);
    *interface = v6->sin6_scope_id;
    return AF_INET6;
}

// sock_diag(7) returns one socket at once, however many there are.
static enum cmhd_peer ask_kernel(const struct inet_diag_req_v2 *request) {
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } question = {.header = {.nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
                  .request = *request};
    struct {
        struct nlmsghdr header;
        struct inet_diag_msg message;
        // Attributes, if there are any.
        char more[512];
    } answer;
    enum cmhd_peer peer = CMHD_PEER_UNKNOWN;
    int kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (kernel < 0) return peer;
    if (sendto(kernel, &question, sizeof question, 0, 0, 0) == (ssize_t)sizeof question) {
        ssize_t size = recvfrom(kernel, &answer, sizeof answer, 0, 0, 0);
        if (size >= (ssize_t)NLMSG_LENGTH(sizeof(struct inet_diag_msg)) && answer.header.nlmsg_type == SOCK_DIAG_BY_FAMILY) {
            // A socket that no process owns any more has no inode.
            peer = answer.message.idiag_inode == 0 ? CMHD_PEER_CLOSED : CMHD_PEER_OPEN;
        }
    }
    close(kernel);
    return peer;
}

enum cmhd_peer cmhd_peer(int socket) {
    struct sockaddr_storage own, other;
    socklen_t own_size = sizeof own, other_size = sizeof other;
    if (getsockname(socket, (struct sockaddr *)&own, &own_size) != 0) return CMHD_PEER_UNKNOWN;
    // The system reports the close of the other end of such a socket immediately.
    if (own.ss_family == AF_UNIX) return CMHD_PEER_OPEN;
    if (getpeername(socket, (struct sockaddr *)&other, &other_size) != 0) return CMHD_PEER_UNKNOWN;
    struct inet_diag_req_v2 request = {.sdiag_protocol = IPPROTO_TCP, .idiag_states = -1};
    request.id.idiag_cookie[0] = request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    // Its source is our destination.
    int family = read_end(&other, request.id.idiag_src, &request.id.idiag_sport, &request.id.idiag_if);
    __u32 interface = 0;
    if (family == 0 || family != read_end(&own, request.id.idiag_dst, &request.id.idiag_dport, &interface)) {
        return CMHD_PEER_UNKNOWN;
    }
    request.sdiag_family = (__u8)family;
    return ask_kernel(&request);
}

int cmhd_accept(int listener, void *address, unsigned *size) {
    return accept4(listener, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int cmhd_socket_pair(int *near, int *far) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    *near = ends[0];
    *far = ends[1];
    return 0;
}

int cmhd_unreceived(int socket) {
    int count = 0;
    return ioctl(socket, SIOCOUTQ, &count) == 0 ? count : -1;
}
