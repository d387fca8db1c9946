/* echo.c - the least that a UDP server costs on this machine: takes datagrams 64 at a
 * time, sets the answer bit, sends them back.  Every resolver is measured against it.
 * Usage: bench_dns_echo PORT */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64

int main(int argc, char **argv)
{
	static unsigned char bytes[BATCH][4096];
	static struct sockaddr_in from[BATCH];
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	int size = 8 << 20, fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port =
					htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 5399)),
				.sin_addr = {htonl(INADDR_LOOPBACK)}};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		perror("echo");
		return 1;
	}
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){bytes[i], sizeof bytes[i]};
			m[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
						       .msg_namelen = sizeof from[i],
						       .msg_iov = &iov[i],
						       .msg_iovlen = 1};
		}
		(void)poll(&p, 1, -1);
		int n = recvmmsg(fd, m, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			bytes[i][2] |= 0x80;
			iov[i].iov_len = m[i].msg_len;
		}
		for (int sent = 0; sent < n;) {
			int k = sendmmsg(fd, m + sent, (unsigned)(n - sent), 0);
			if (k <= 0)
				break;
			sent += k;
		}
	}
}
