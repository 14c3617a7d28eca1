// SPDX-License-Identifier: GPL-2.0
/*
 * Security contexts: an object that asks for it is told the label of who has
 * opened the device that it is called from. Needs a security module that lets
 * root choose its label: the debug kernel has Smack.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "parcel.h"

#define LABEL_FILE	"/proc/self/attr/current"
#define NODE		0x1000
#define COOKIE		0x77

FIXTURE(label)
{
	struct party *m;
	struct party *c;
};

static long op_label(struct party *p, const u64 *a)
{
	(void)p;
	return write_file(LABEL_FILE, u64_ptr(a[0]));
}

/* The test's constants are at the same place in all of its processes. */
static long b_label(struct party *p, const char *label)
{
	return ON(p, op_label, ptr_u64(label));
}

static struct party *labelled(const char *label, size_t len)
{
	struct party *p = party_new();

	if (!p || b_label(p, label) || b_open(p) < 0 || b_map(p, len))
		return NULL;
	return p;
}

FIXTURE_SETUP(label)
{
	struct flat_binder_object *fbo;

	self->m = party_new();
	ASSERT_NE(NULL, self->m);
	if (b_label(self->m, "receiver"))
		SKIP(return, "this kernel has no labels to choose");
	ASSERT_LE(0, b_open(self->m));
	ASSERT_EQ(0, b_map(self->m, AREA_SIZE));
	fbo = (void *)self->m->scratch;
	*fbo = (struct flat_binder_object) {
		.flags = FLAT_BINDER_FLAG_TXN_SECURITY_CTX,
		.binder = NODE,
		.cookie = COOKIE,
	};
	ASSERT_EQ(0, b_ioctl(self->m, BINDER_SET_CONTEXT_MGR_EXT, fbo));
	ASSERT_EQ(0, b_enter_looper(self->m));
	self->c = labelled("sender", AREA_SIZE);
	ASSERT_NE(NULL, self->c);
}

FIXTURE_TEARDOWN(label)
{
	kill_all_parties();
}

/* The label that came with the last call; it ends with a zero. */
static const char *label_of(struct party *p, size_t len)
{
	const char *label = b_peek(p, p->res.secctx, len);

	return label && !label[len - 1] ? label : "(none)";
}

#define EXPECT_LABEL(p, label) \
	EXPECT_STREQ(label, label_of(p, sizeof(label)))

TEST_F(label, a_call_tells_it)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(BR_TRANSACTION_SEC_CTX, b_receive(self->m));
	EXPECT_EQ(1, self->m->res.tr.code);
	EXPECT_EQ(NODE, self->m->res.tr.target.ptr);
	EXPECT_EQ(COOKIE, self->m->res.tr.cookie);
	EXPECT_LABEL(self->m, "sender");
}

TEST_F(label, a_oneway_tells_it)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 1));
	ASSERT_EQ(BR_TRANSACTION_SEC_CTX, b_receive(self->m));
	EXPECT_LABEL(self->m, "sender");
}

TEST_F(label, an_answer_does_not)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(BR_TRANSACTION_SEC_CTX, b_receive(self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(BR_REPLY, b_receive(self->c));
}

/* It comes behind the message, whatever that ends with. */
TEST_F(label, with_messages_of_all_lengths)
{
	for (size_t len = 0; len <= 17; len++) {
		ASSERT_EQ(0, b_oneway(self->c, len, len));
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
		ASSERT_EQ(BR_TRANSACTION_SEC_CTX, b_receive(self->m));
		EXPECT_EQ(len, self->m->res.tr.data_size);
		EXPECT_EQ(-1, b_mismatch(self->m, len));
		EXPECT_LABEL(self->m, "sender");
		ASSERT_EQ(0, b_free(self->m));
	}
}

TEST_F(label, with_objects_and_buffers)
{
	struct parcel *q = parcel_new(self->c);
	u64 *at = pool(q, sizeof(*at));

	*at = 0x1234567;
	put_binder(q, NODE, COOKIE);
	put_ptr(q, at, sizeof(*at));
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION_SG, 0, 0));
	ASSERT_EQ(BR_TRANSACTION_SEC_CTX, b_receive_parcel(self->m));
	EXPECT_EQ(BINDER_TYPE_HANDLE, flat(self->m->in, 0)->hdr.type);
	at = b_peek(self->m, ((struct binder_buffer_object *)
			      object(self->m->in, 1))->buffer, sizeof(*at));
	ASSERT_NE(NULL, at);
	EXPECT_EQ(0x1234567, *at);
	EXPECT_LABEL(self->m, "sender");
}

/* Not of who sends: a file may have come to other hands. */
TEST_F(label, of_who_has_opened_the_device)
{
	ASSERT_EQ(0, b_label(self->c, "another"));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(BR_TRANSACTION_SEC_CTX, b_receive(self->m));
	EXPECT_LABEL(self->m, "sender");
}

TEST_F(label, of_each_its_own)
{
	struct party *d = labelled("somebody-else", AREA_SIZE);

	ASSERT_NE(NULL, d);
	ASSERT_EQ(0, b_ask(d, 0, 1));
	ASSERT_EQ(BR_TRANSACTION_SEC_CTX, b_receive(self->m));
	EXPECT_LABEL(self->m, "somebody-else");
	ASSERT_EQ(0, b_answer(self->m, 2));
	ASSERT_EQ(0, b_ask(self->c, 0, 2));
	ASSERT_EQ(BR_TRANSACTION_SEC_CTX, b_receive(self->m));
	EXPECT_LABEL(self->m, "sender");
}

TEST_HARNESS_MAIN
