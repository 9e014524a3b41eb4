#include "model-server.h"

#include "support.h"

uint32_t
model_draw(Model *model, uint32_t below)
{
	return (uint32_t)g_rand_int_range(model->rand, 0, (gint32)below);
}

/* ---- the server ------------------------------------------------------------------------------------- */

Box *
model_box(Model *model, StoreId id)
{
	for (int i = 0; i < MODEL_MAILBOXES; i++) {
		if (model->boxes[i].id == id)
			return &model->boxes[i];
	}
	return NULL;
}

Mail *
box_mail(Box *box, uint32_t uid, guint *at)
{
	for (guint i = 0; box && i < box->mails->len; i++) {
		Mail *mail = &g_array_index(box->mails, Mail, i);

		if (mail->uid == uid) {
			if (at)
				*at = i;
			return mail;
		}
	}
	return NULL;
}

uint32_t
box_arrive(Box *box, Mail mail)
{
	mail.uid = box->uidnext++;
	g_array_append_val(box->mails, mail);
	return mail.uid;
}

/* ---- what the mirror hears ------------------------------------------------------------------------------ */

StoreMessage
model_message(Model *model, const Mail *mail)
{
	StoreMessage message = plain_message(model->pool, mail->key, mail->key * 60, mail->flags);

	message.uid = mail->uid;
	message.keywords = mail->keyword ? SPAN_LITERAL("$Work") : SPAN_EMPTY;
	return message;
}

void
model_hear_gone(Model *model, Box *box, uint32_t uid)
{
	GError *error = NULL;

	MUST(store_messages_remove(model->store, box->id, &uid, 1, NULL, &error));
}

static void
model_hear_mail(Model *model, Box *box, const Mail *mail)
{
	StoreMessage message = model_message(model, mail);
	GError *error = NULL;

	MUST(store_messages_put(model->store, box->id, &message, 1, &error));
}

static void
model_hear_flags(Model *model, Box *box, const Mail *mail)
{
	StoreFlagChange change = { .uid = mail->uid, .flags = mail->flags };
	GError *error = NULL;

	if (mail->keyword)
		change.keywords = SPAN_LITERAL("$Work");
	MUST(store_messages_flag(model->store, box->id, &change, 1, NULL, &error));
}

void
model_synchronise(Model *model, Box *box)
{
	g_autofree uint32_t *uids = NULL;
	g_autoptr(StoreMailbox) mailbox = NULL;
	GError *error = NULL;
	size_t n;

	MUST(store_message_uids(model->store, box->id, &uids, &n, &error));
	for (size_t i = 0; i < n; i++) {
		if (!box_mail(box, uids[i], NULL))
			model_hear_gone(model, box, uids[i]);
	}
	for (guint i = 0; i < box->mails->len; i++) {
		const Mail *mail = &g_array_index(box->mails, Mail, i);
		g_autoptr(StoreRow) row = NULL;

		if (store_row_by_uid(model->store, box->id, mail->uid, &row, &error)) {
			model_hear_flags(model, box, mail);
		} else {
			MUST_FAIL(false, POSTERN_ERROR_GONE);
			model_hear_mail(model, box, mail);
		}
	}
	MUST(store_mailbox_progress(model->store, box->id, 1, box->uidnext, 0, &error));
	MUST(store_mailbox_get(model->store, box->id, &mailbox, &error));
	assert_int_equal(mailbox->mirrored, box->mails->len);
}

/* ---- other clients --------------------------------------------------------------------------------------- */

void
model_somebody_else(Model *model, Box *box)
{
	guint at = box->mails->len ? model_draw(model, box->mails->len) : 0;
	Mail *mail = box->mails->len ? &g_array_index(box->mails, Mail, at) : NULL;
	uint32_t what = model_draw(model, 6);

	if (what < 2 || !mail) {
		box_arrive(box, (Mail){ .key = model->next_key++ });
	} else if (what < 5) {
		if (model_draw(model, 4) == 0)
			mail->keyword = !mail->keyword;
		mail->flags ^= 1U << model_draw(model, 3);
	} else {
		uint32_t uid = mail->uid;

		g_array_remove_index(box->mails, at);
		if (model_draw(model, 2))
			model_hear_gone(model, box, uid);
	}
}

void
model_change_uidvalidity(Model *model, Box *box)
{
	StoreMailbox mailbox = { .id = box->id, .server_total = -1, .server_unread = -1 };
	GError *error = NULL;

	box->uidvalidity++;
	box->uidnext += 1000;
	for (guint i = 0; i < box->mails->len; i++)
		g_array_index(box->mails, Mail, i).uid = box->uidnext++;
	MUST(store_mailbox_reset(model->store, box->id, &error));
	mailbox.uidvalidity = box->uidvalidity;
	MUST(store_mailbox_status(model->store, &mailbox, &error));
	must_be_sound(model->store);
	model_synchronise(model, box);
}
