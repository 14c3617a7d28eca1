// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU: how many instructions the guest's kernel has executed where.
 *
 * "-plugin FILE,out=PATH" writes lines "ADDRESS INSTRUCTIONS TIMES" to PATH at the
 * end, one for each block of the kernel that ran, with the times that it did, and
 * one with the address 0 for all programs together. With "icount" that is exact:
 * a block that is left early, for a fault, is counted whole, and these are few.
 *
 * Debian's QEMU comes without the header of its interface, so what is used of
 * that is declared here; see docs/about/emulation.rst in QEMU's source.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT		__attribute__((visibility("default")))
#define API_VERSION	4
#define SLOTS		(1U << 19)
#define USER_SLOT	0
#define KERNEL_BEGIN	(1ULL << 63)

enum op { OP_ADD_U64 };

struct counter {
	void *scoreboard;
	size_t offset;
};

struct tb;

void *qemu_plugin_scoreboard_new(size_t element_size);
uint64_t qemu_plugin_u64_sum(struct counter counter);
size_t qemu_plugin_tb_n_insns(const struct tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*fn)(uint64_t id, struct tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct tb *tb, enum op op,
						       struct counter counter, uint64_t add);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*fn)(uint64_t id, void *data), void *data);

EXPORT int qemu_plugin_version = API_VERSION;

static void *scoreboard;
static FILE *out;
/* The address of the block whose count is in a slot. */
static uint64_t address_of[SLOTS];

static struct counter instructions_of(size_t slot)
{
	return (struct counter) { scoreboard, 2 * slot * sizeof(uint64_t) };
}

static struct counter times_of(size_t slot)
{
	return (struct counter) { scoreboard, (2 * slot + 1) * sizeof(uint64_t) };
}

/* The slot of an address; SLOTS if all are taken. */
static size_t slot_of(uint64_t address)
{
	size_t slot = (address * 0x9e3779b97f4a7c15ULL) >> 45;

	if (address < KERNEL_BEGIN)
		return USER_SLOT;
	for (size_t tried = 0; tried < SLOTS; tried++, slot++) {
		slot %= SLOTS;
		if (slot == USER_SLOT)
			continue;
		if (!address_of[slot])
			address_of[slot] = address;
		if (address_of[slot] == address)
			return slot;
	}
	return SLOTS;
}

static void translated(uint64_t id, struct tb *tb)
{
	size_t slot = slot_of(qemu_plugin_tb_vaddr(tb));

	(void)id;
	if (slot == SLOTS) {
		fprintf(stderr, "count: more blocks than slots\n");
		exit(1);
	}
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, OP_ADD_U64,
							  instructions_of(slot),
							  qemu_plugin_tb_n_insns(tb));
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, OP_ADD_U64, times_of(slot), 1);
}

static void at_exit(uint64_t id, void *data)
{
	(void)id;
	(void)data;
	for (size_t slot = 0; slot < SLOTS; slot++) {
		uint64_t instructions = qemu_plugin_u64_sum(instructions_of(slot));
		uint64_t times = qemu_plugin_u64_sum(times_of(slot));

		if (times)
			fprintf(out, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n", address_of[slot],
				instructions, times);
	}
	fclose(out);
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	}
	if (!out) {
		fprintf(stderr, "count: no file to write to: out=\n");
		return -1;
	}
	scoreboard = qemu_plugin_scoreboard_new(2 * SLOTS * sizeof(uint64_t));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
