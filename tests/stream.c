// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's main job on real data: a client sends a file to a server, which
 * writes it out, while the shrinker takes the area's pages away half way. Then
 * the area is unmapped, other memory put at its address, and the shrinker runs
 * again: the pages must go and that memory must stay.
 *
 *	stream FILE
 *
 * Prints a summary and ends with "vbinder run: ok" and status 0, or says on
 * stderr what went wrong and ends with another status.
 */
#include <kselftest.h>

#include "pair.h"

#define CHUNK		(64 * KIB)
#define RECEIVED	"/tmp/vbinder.received"
#define PATTERN		0x5a

/* Codes of messages; a chunk's code is its number, so they are far away. */
#define CODE_BEGIN	0xfffffff0U
#define CODE_END	0xfffffff1U

/* A file may be big and the machine emulated. */
#define STREAM_MS	(30 * 60 * 1000)

#define DIGEST_LEN	64

static const char *source;

static __noreturn __printf(1, 2) void fail(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "vbinder run: FAILED: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	kill_all_parties();
	unlink(RECEIVED);
	exit(1);
}

/* The server. */

static long write_all(int fd, const u8 *data, size_t len)
{
	while (len) {
		long ret = sys_write(fd, data, len);

		if (ret <= 0)
			return ret ?: -EIO;
		data += ret;
		len -= ret;
	}
	return 0;
}

/* Writes chunks to the file until the end is announced. */
static long op_receive(struct party *p, const u64 *a)
{
	u32 expected = 0;
	u32 code;
	u32 status;
	long fd = sys_open(RECEIVED, O_WRONLY | O_CREAT | O_TRUNC);

	(void)a;
	if (fd < 0)
		return fd;
	do {
		struct binder_transaction_data answer = {
			.data_size = sizeof(status),
			.data.ptr.buffer = ptr_u64(&status),
		};
		struct binder_transaction_data *tr = &p->res.tr;
		long ret = op_await(p, ARGS(BR(BR_TRANSACTION)));

		if (ret != BR_TRANSACTION)
			return ret;
		code = tr->code;
		status = 0;
		if (code < CODE_BEGIN && code != expected++)
			status = EPROTO;
		else if (code < CODE_BEGIN)
			status = -write_all(fd, u64_ptr(tr->data.ptr.buffer),
					    tr->data_size);
		put_free(p, tr->data.ptr.buffer);
		put_tr(p, BC_REPLY, &answer);
		ret = op_go(p, ARGS(0));
		if (ret)
			return ret;
	} while (code != CODE_END);
	sys_close(fd);
	/* The last reply's receipt; nothing else can be waiting here. */
	return op_await(p, ARGS(BR_RECEIPT)) == BR_TRANSACTION_COMPLETE ?
		0 : -EPROTO;
}

/* Anonymous memory with a pattern, exactly where the area was. */
static long op_take_place(struct party *p, const u64 *a)
{
	long at = sys_mmap(p->area, p->area_len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			   -1, 0);

	(void)a;
	if (is_error(at))
		return at;
	memset(u64_ptr(at), PATTERN, p->area_len);
	return 0;
}

/* How many bytes of that memory are no longer what they were. */
static long op_count_damage(struct party *p, const u64 *a)
{
	long damage = 0;

	(void)a;
	for (size_t i = 0; i < p->area_len; i++)
		damage += p->area[i] != PATTERN;
	return damage;
}

/* The client. */

/* One call and its answer: 0, or a negative errno of either side. */
static long send_message(struct party *p, u32 code, const void *data, size_t len)
{
	struct binder_transaction_data tr = {
		.code = code,
		.data_size = len,
		.data.ptr.buffer = ptr_u64(data),
	};
	u32 status;
	long ret;

	put_tr(p, BC_TRANSACTION, &tr);
	ret = op_go(p, ARGS(0));
	if (!ret)
		ret = op_await(p, ARGS(BR_MESSAGE));
	if (ret == BR_DEAD_REPLY)
		return -ECONNRESET;
	if (ret != BR_REPLY || p->res.tr.data_size != sizeof(status))
		return ret < 0 ? ret : -EPROTO;
	memcpy(&status, u64_ptr(p->res.tr.data.ptr.buffer), sizeof(status));
	put_free(p, p->res.tr.data.ptr.buffer);
	ret = op_go(p, ARGS(0));
	return ret ?: -(long)status;
}

static long op_send_code(struct party *p, const u64 *a)
{
	return send_message(p, a[0], &a[0], sizeof(a[0]));
}

/* Sends chunks a[0] to a[1] - 1 of the source: 0, or a negative errno. */
static long op_send_chunks(struct party *p, const u64 *a)
{
	static u8 chunk[CHUNK];
	long fd = sys_open(source, O_RDONLY);
	long ret = fd < 0 ? fd : 0;

	for (u64 n = a[0]; n < a[1] && !ret; n++) {
		size_t len = 0;

		while (len < CHUNK) {
			ret = sys_pread(fd, chunk + len, CHUNK - len,
					n * CHUNK + len);
			if (ret <= 0)
				break;
			len += ret;
		}
		if (ret >= 0)
			ret = send_message(p, n, chunk, len);
	}
	if (fd >= 0)
		sys_close(fd);
	return ret;
}

/* The test. */

static void check(long ret, const char *what)
{
	if (ret)
		fail("%s: error %ld (%s)", what, -ret, strerror(-ret));
}

static long count(const char *name)
{
	long value = counter(name);

	if (value < 0)
		fail("no counter '%s' in " STATS_FILE, name);
	return value;
}

/* SHA-256 of a file as text, by the tool that anybody would check it with. */
static void digest(const char *path, char *out)
{
	char *const args[] = {
		(char *)"sh", (char *)"-c", (char *)"sha256sum <\"$0\"",
		(char *)path, NULL,
	};
	size_t len = 0;
	int status = 0;
	int fds[2];
	int pid;

	if (pipe(fds))
		fail("no pipe");
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		execve("/bin/sh", args, environ);
		_exit(127);
	}
	sys_close(fds[1]);
	while (len < DIGEST_LEN) {
		long ret = sys_read(fds[0], out + len, DIGEST_LEN - len);

		if (ret <= 0)
			break;
		len += ret;
	}
	out[len] = '\0';
	sys_close(fds[0]);
	waitpid(pid, &status, 0);
	if (len != DIGEST_LEN)
		fail("sha256sum of %s gave nothing", path);
}

struct reclaim {
	long before;	/* pages idle */
	long after;
};

/* Half of what is idle by the shrinker's own file, the rest by drop_caches. */
static struct reclaim run_shrinker(void)
{
	struct reclaim r = { .before = count("idle") };

	shrinker_scan(r.before / 2);
	for (int i = 0; i < 50 && (r.after = count("idle")); i++) {
		check(drop_slab(), "drop_caches");
		nap();
	}
	return r;
}

static u64 source_size(void)
{
	struct stat st;

	if (stat(source, &st))
		fail("%s: %s", source, strerror(errno));
	if ((st.st_mode & S_IFMT) != S_IFREG)
		fail("%s is not a regular file", source);
	return st.st_size;
}

static void send_chunks(struct party *client, struct party *server, u64 from,
			u64 to)
{
	u64 end = now_ms() + STREAM_MS;
	long ret;

	START(client, op_send_chunks, from, to);
	/* A server that gives up leaves its caller without an answer. */
	do {
		ret = finish_within(client, 500);
	} while (ret == -ETIME && is_busy(server) && now_ms() < end);
	if (!is_busy(server))
		fail("the server stopped: error %ld (%s)", -server->ret,
		     strerror(-server->ret));
	check(ret, "sending");
}

int main(int argc, char **argv)
{
	char want[DIGEST_LEN + 1];
	char got[DIGEST_LEN + 1];
	long inserted, batches, mapped, unmapped, damage;
	struct reclaim half, impostor;
	struct party *server, *client;
	u64 size, chunks, ms, speed;

	if (argc != 2) {
		fprintf(stderr, "usage: stream FILE\n");
		return 2;
	}
	source = argv[1];
	size = source_size();
	chunks = (size + CHUNK - 1) / CHUNK;
	if (chunks >= CODE_BEGIN)
		fail("%s has too many chunks", source);
	inserted = count("inserted");
	batches = count("batches");
	mapped = count("reclaimed_mapped");
	unmapped = count("reclaimed_unmapped");

	server = manager_new(AREA_SIZE);
	if (!server)
		fail("no server on " DEVICE);
	client = client_new(AREA_SIZE);
	if (!client)
		fail("no client on " DEVICE);

	START(server, op_receive);
	ms = now_ms();
	check(ON(client, op_send_code, CODE_BEGIN), "first message");
	send_chunks(client, server, 0, chunks / 2);
	ms = now_ms() - ms;

	half = run_shrinker();
	if (!half.before || half.after)
		fail("half way, %ld of %ld idle pages were not reclaimed",
		     half.after, half.before);

	ms = now_ms() - ms;
	send_chunks(client, server, chunks / 2, chunks);
	check(ON(client, op_send_code, CODE_END), "last message");
	check(finish(server), "receiving");
	ms = now_ms() - ms;
	inserted = count("inserted") - inserted;
	batches = count("batches") - batches;

	check(b_unmap(server), "munmap");
	check(ON(server, op_take_place), "mmap over the old area");
	impostor = run_shrinker();
	mapped = count("reclaimed_mapped") - mapped;
	unmapped = count("reclaimed_unmapped") - unmapped;
	damage = ON(server, op_count_damage);
	if (damage)
		fail("reclaim damaged %ld bytes of another mapping", damage);
	if (impostor.after)
		fail("%ld of %ld idle pages were not reclaimed after munmap",
		     impostor.after, impostor.before);
	if (!unmapped)
		fail("no page was reclaimed from the unmapped area");
	kill_all_parties();

	digest(source, want);
	digest(RECEIVED, got);
	speed = size * 1000 / (ms ?: 1) / KIB;
	printf("vbinder streamed %s\n", source);
	printf("  sent       %llu bytes in %llu transactions of up to %lu KiB\n",
	       size, chunks, CHUNK / KIB);
	printf("  time       %llu ms, %llu KiB/s\n", ms, speed);
	printf("  inserted   %ld pages in %ld batches\n", inserted, batches);
	printf("  half way   the shrinker ran: %ld idle pages, then %ld\n",
	       half.before, half.after);
	printf("  unmapped   area replaced by other memory, the shrinker ran:\n");
	printf("             %ld idle pages, then %ld; the other memory is intact\n",
	       impostor.before, impostor.after);
	printf("  reclaimed  %ld pages in mapped areas, %ld in the unmapped one\n",
	       mapped, unmapped);
	printf("  source     sha256 %s\n", want);
	printf("  received   sha256 %s\n", got);
	if (strcmp(want, got))
		fail("what was received differs from the source");
	unlink(RECEIVED);
	printf("vbinder run: ok\n");
	return 0;
}
