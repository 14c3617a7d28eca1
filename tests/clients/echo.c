// SPDX-License-Identifier: GPL-2.0
/*
 * The echo service of aidl/ on libgbinder, and a watcher of any service.
 *
 * gb_echo DEVICE serve NAME registers the service, and again whenever the
 * service manager has come back. gb_echo DEVICE watch NAME says "watching", and
 * ends with "died" when NAME has died. A line on standard error tells what went
 * wrong, and the status is not 0 then.
 */

#include <gbinder/gbinder.h>
#include <gbinder/gbinder_reader.h>
#include <gbinder/gbinder_writer.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ECHO		"vbinder.IEcho"
#define CALLBACK	"vbinder.ICallback"

/* Methods have their numbers from the order in the .aidl files. */
enum { SAY = GBINDER_FIRST_CALL_TRANSACTION, REPEAT, PASS, SAME, CALL, NOTE, NOTED };
enum { CALLED = GBINDER_FIRST_CALL_TRANSACTION };

#define NO_EXCEPTION	0
#define NOT_NULL	1
#define NO_SECOND_FILE	0

static GBinderServiceManager *manager;
static GMainLoop *loop;
static GBinderLocalObject *echo;
static const char *name;
static GArray *notes;
static int status = 1;

/* Whoever reads this through a file is waiting for it. */
static void say(const char *line)
{
	puts(line);
	fflush(stdout);
}

static void fail(const char *what, int error)
{
	fprintf(stderr, "gb_echo: %s: %d\n", what, error);
	g_main_loop_quit(loop);
}

static gboolean repeat(GBinderReader *in, GBinderWriter *out)
{
	const void *bytes;
	gsize size;

	bytes = gbinder_reader_read_byte_array(in, &size);
	if (!bytes)
		return FALSE;
	/* libgbinder would make a null of no bytes. */
	if (size)
		gbinder_writer_append_byte_array(out, bytes, size);
	else
		gbinder_writer_append_int32(out, 0);
	return TRUE;
}

static gboolean say_again(GBinderReader *in, GBinderWriter *out)
{
	char *text = gbinder_reader_read_string16(in);

	if (!text)
		return FALSE;
	gbinder_writer_append_string16(out, text);
	g_free(text);
	return TRUE;
}

static void close_file(gpointer file)
{
	close(GPOINTER_TO_INT(file));
}

/* A ParcelFileDescriptor: not null, no second file, the file. */
static gboolean pass(GBinderReader *in, GBinderWriter *out, GBinderLocalReply *reply)
{
	gint32 not_null, second_file;
	int file;

	if (!gbinder_reader_read_int32(in, &not_null) || not_null != NOT_NULL ||
	    !gbinder_reader_read_int32(in, &second_file) || second_file != NO_SECOND_FILE)
		return FALSE;
	file = gbinder_reader_read_dup_fd(in);
	if (file < 0)
		return FALSE;
	gbinder_writer_append_int32(out, NOT_NULL);
	gbinder_writer_append_int32(out, NO_SECOND_FILE);
	gbinder_writer_append_fd(out, file);
	gbinder_local_reply_cleanup(reply, close_file, GINT_TO_POINTER(file));
	return TRUE;
}

static gboolean same(GBinderReader *in, GBinderWriter *out)
{
	GBinderRemoteObject *object = gbinder_reader_read_object(in);

	if (!object)
		return FALSE;
	gbinder_writer_append_remote_object(out, object);
	gbinder_remote_object_unref(object);
	return TRUE;
}

/* Calls the one who is calling. */
static gboolean call(GBinderReader *in, GBinderWriter *out)
{
	GBinderRemoteObject *object = gbinder_reader_read_object(in);
	char *text = gbinder_reader_read_string16(in);
	GBinderClient *client = gbinder_client_new(object, CALLBACK);
	GBinderRemoteReply *reply = NULL;
	char *answer = NULL;

	if (client && text) {
		GBinderLocalRequest *request = gbinder_client_new_request(client);
		GBinderReader reader;
		gint32 exception;

		gbinder_local_request_append_string16(request, text);
		reply = gbinder_client_transact_sync_reply(client, CALLED, request, NULL);
		gbinder_remote_reply_init_reader(reply, &reader);
		if (gbinder_reader_read_int32(&reader, &exception) && exception == NO_EXCEPTION)
			answer = gbinder_reader_read_string16(&reader);
		gbinder_local_request_unref(request);
	}
	if (answer)
		gbinder_writer_append_string16(out, answer);
	gbinder_remote_reply_unref(reply);
	gbinder_client_unref(client);
	gbinder_remote_object_unref(object);
	g_free(text);
	g_free(answer);
	return !!answer;
}

static gboolean note(GBinderReader *in)
{
	gint32 number;

	if (!gbinder_reader_read_int32(in, &number))
		return FALSE;
	g_array_append_val(notes, number);
	return TRUE;
}

static gboolean noted(GBinderWriter *out)
{
	guint i;

	gbinder_writer_append_int32(out, notes->len);
	for (i = 0; i < notes->len; i++)
		gbinder_writer_append_int32(out, g_array_index(notes, gint32, i));
	g_array_set_size(notes, 0);
	return TRUE;
}

static GBinderLocalReply *serve(GBinderLocalObject *object, GBinderRemoteRequest *request,
				guint code, guint flags, int *result, void *unused)
{
	GBinderLocalReply *reply = gbinder_local_object_new_reply(object);
	gboolean good = FALSE;
	GBinderWriter out;
	GBinderReader in;

	gbinder_remote_request_init_reader(request, &in);
	gbinder_local_reply_init_writer(reply, &out);
	gbinder_writer_append_int32(&out, NO_EXCEPTION);
	switch (code) {
	case SAY:
		good = say_again(&in, &out);
		break;
	case REPEAT:
		good = repeat(&in, &out);
		break;
	case PASS:
		good = pass(&in, &out, reply);
		break;
	case SAME:
		good = same(&in, &out);
		break;
	case CALL:
		good = call(&in, &out);
		break;
	case NOTE:
		good = note(&in);
		break;
	case NOTED:
		good = noted(&out);
		break;
	}
	*result = good ? GBINDER_STATUS_OK : GBINDER_STATUS_FAILED;
	if (good && !(flags & GBINDER_TX_FLAG_ONEWAY))
		return reply;
	gbinder_local_reply_unref(reply);
	return NULL;
}

static void registered(GBinderServiceManager *by, int error, void *unused)
{
	if (error)
		fail("cannot register", error);
	else
		say("registered");
}

static void present_or_not(GBinderServiceManager *now, void *unused)
{
	if (gbinder_servicemanager_is_present(now))
		gbinder_servicemanager_add_service(now, name, echo, registered, NULL);
	else
		say("the manager died");
}

static void died(GBinderRemoteObject *object, void *unused)
{
	say("died");
	status = !gbinder_remote_object_is_dead(object);
	g_main_loop_quit(loop);
}

static void start_serving(void)
{
	notes = g_array_new(FALSE, FALSE, sizeof(gint32));
	echo = gbinder_servicemanager_new_local_object(manager, ECHO, serve, NULL);
	gbinder_servicemanager_add_presence_handler(manager, present_or_not, NULL);
	present_or_not(manager, NULL);
	g_main_loop_run(loop);
}

static void wait_for_death(void)
{
	GBinderRemoteObject *object;
	int error;

	object = gbinder_servicemanager_get_service_sync(manager, name, &error);
	if (!object || !gbinder_remote_object_add_death_handler(object, died, NULL)) {
		fprintf(stderr, "gb_echo: cannot watch %s: %d\n", name, error);
		return;
	}
	gbinder_remote_object_ref(object);
	say("watching");
	g_main_loop_run(loop);
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[2], "serve") && strcmp(argv[2], "watch"))) {
		fprintf(stderr, "usage: gb_echo DEVICE serve|watch NAME\n");
		return 1;
	}
	name = argv[3];
	loop = g_main_loop_new(NULL, FALSE);
	manager = gbinder_servicemanager_new(argv[1]);
	if (!manager) {
		fprintf(stderr, "gb_echo: no service manager on %s\n", argv[1]);
		return 1;
	}
	if (strcmp(argv[2], "serve"))
		wait_for_death();
	else
		start_serving();
	return status;
}
