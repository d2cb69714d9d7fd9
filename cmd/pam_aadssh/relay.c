/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <poll.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/pam_aadssh/clean.h"
#include "cmd/pam_aadssh/kernel.h"
#include "cmd/pam_aadssh/relay.h"

struct relay {
	const struct relay_job *job;
	struct child *child;
	struct relay_said *said;
	const char *why; /* set: it is over */
	bool given; /* the verdict was */
	enum verdict verdict;
	int64_t deadline;
	bool late; /* the person answered when time was over */
	size_t total; /* bytes that came */
	char *out; /* what the child has not read yet */
	size_t out_len, out_off;
	size_t len;
	char line[RELAY_LINE_MAX + 1];
	size_t info_len;
	char info[RELAY_TOTAL_MAX + 1]; /* no longer than what came */
};

static bool
fail(struct relay *r, const char *why)
{
	r->why = why;
	return false;
}

/* ---- to the child ------------------------------------------------------- */

static bool
queue(struct relay *r, const char *text, size_t len)
{
	size_t rest = r->out_len - r->out_off;
	char *p = malloc(rest + len);

	if (p == NULL)
		return fail(r, "no memory");
	if (rest > 0)
		memcpy(p, r->out + r->out_off, rest);
	memcpy(p + rest, text, len);
	free(r->out);
	r->out = p;
	r->out_len = rest + len;
	r->out_off = 0;
	return true;
}

static bool
pending(const struct relay *r)
{
	return r->child->to != -1 && r->out_off < r->out_len;
}

/* Whoever does not listen may still have said his verdict. */
static void
feed(struct relay *r)
{
	ssize_t n;

	n = write(r->child->to, r->out + r->out_off, r->out_len - r->out_off);
	if (n > 0)
		r->out_off += (size_t)n;
	else if (n == -1 && errno != EINTR && errno != EAGAIN)
		child_hush(r->child);
}

/* ---- to the person ------------------------------------------------------- */

static bool
info_add(struct relay *r, const char *text, size_t len)
{
	if (r->info_len > 0)
		r->info[r->info_len++] = '\n';
	r->info_len += clean_text(text, len, r->info + r->info_len,
	    sizeof(r->info) - r->info_len);
	return true;
}

static bool
error_show(struct relay *r, const char *text, size_t len)
{
	char clean[RELAY_LINE_MAX + 1];

	clean_text(text, len, clean, sizeof(clean));
	r->said->errors = true;
	if (!r->job->silent)
		pam_error(r->job->pamh, "%s", clean);
	return true;
}

/* What no prompt took along. */
static void
info_flush(struct relay *r)
{
	if (r->info_len > 0 && !r->job->silent)
		pam_info(r->job->pamh, "%s", r->info);
	r->info_len = 0;
}

bool
relay_junk(const char *answer)
{
	static const char junk[] = "\b\n\r\177INCORRECT";
	size_t i;

	for (i = 0; answer[i] != '\0'; i++)
		if (answer[i] != junk[i % (sizeof(junk) - 1)])
			return false;
	return i > 0;
}

static bool
answer(struct relay *r, const char *text)
{
	char line[RELAY_ANSWER_LEN + 3] = "A ";

	if (relay_junk(text))
		return fail(r, "sshd does not let this login in");
	clean_answer(text, line + 2, RELAY_ANSWER_LEN);
	strcat(line, "\n");
	return queue(r, line, strlen(line));
}

/*
 * Nothing can be heard while the person is asked.  When time ran out
 * meanwhile, the child gets a moment, once, for what it has said or will say
 * of it: "no" is better than "can't tell", after which the client tries again.
 */
static void
moment_more(struct relay *r)
{
	int64_t now = kernel_clock_ms();

	if (now < r->deadline || r->late)
		return;
	r->late = true;
	r->deadline = now + RELAY_ENDING_MS;
}

static bool
prompt(struct relay *r, const char *text, size_t len)
{
	char *resp = NULL;
	int rc;
	bool ok;

	if (r->job->session)
		return fail(r, "a question in the session phase");
	if (!info_add(r, text, len))
		return false;
	rc = pam_prompt(r->job->pamh, PAM_PROMPT_ECHO_ON, &resp, "%s", r->info);
	r->info_len = 0;
	if (rc != PAM_SUCCESS || resp == NULL) {
		free(resp);
		return fail(r, "nobody answers");
	}
	moment_more(r);
	ok = answer(r, resp);
	free(resp);
	return ok;
}

/* ---- from the child ------------------------------------------------------ */

/* "NAME=VALUE"; other names than ours are passed over. */
static bool
variable(struct relay *r, const char *text)
{
	struct relay_said *s = r->said;

	if (strncmp(text, "AADSSH_UPN=", 11) == 0) {
		clean_ascii(text + 11, s->env_upn, sizeof(s->env_upn));
		return true;
	}
	if (strncmp(text, "AADSSH_OID=", 11) != 0)
		return true;
	if (!clean_guid(text + 11))
		return fail(r, "AADSSH_OID is no GUID");
	memcpy(s->env_oid, text + 11, sizeof(s->env_oid));
	return true;
}

static bool
verdict(struct relay *r, const char *text)
{
	static const struct {
		const char *word;
		enum verdict verdict;
	} words[] = {
		{ "OK", VERDICT_OK },
		{ "NO", VERDICT_NO },
		{ "UNAVAIL", VERDICT_UNAVAIL },
		{ "IGNORE", VERDICT_IGNORE },
	};
	int64_t soon = kernel_clock_ms() + RELAY_ENDING_MS;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i].word) == 0) {
			r->verdict = words[i].verdict;
			r->given = true;
			if (r->deadline > soon)
				r->deadline = soon;
			return true;
		}
	}
	return fail(r, "an unknown verdict");
}

static bool
line_take(struct relay *r)
{
	const char *text = r->line + (r->len < 2 ? r->len : 2);
	size_t len = r->len < 2 ? 0 : r->len - 2;

	r->line[r->len] = '\0';
	if (r->len == 0 || (r->len > 1 && r->line[1] != ' '))
		return fail(r, "a line that means nothing");
	switch (r->line[0]) {
	case 'I':
		return info_add(r, text, len);
	case 'E':
		return error_show(r, text, len);
	case 'P':
		return prompt(r, text, len);
	}
	if (strlen(text) != len)
		return fail(r, "a NUL byte in a line");
	switch (r->line[0]) {
	case 'V':
		return variable(r, text);
	case 'F':
		return registry_fact(text, &r->said->facts) ||
		       fail(r, "a fact that is none");
	case 'R':
		return verdict(r, text);
	}
	return fail(r, "a line that means nothing");
}

static bool
bytes_take(struct relay *r, const char *buf, size_t n)
{
	size_t i;

	r->total += n;
	if (r->total > RELAY_TOTAL_MAX)
		return fail(r, "it says too much");
	for (i = 0; i < n; i++) {
		if (r->given)
			return fail(r, "it goes on after its verdict");
		if (buf[i] == '\n') {
			if (!line_take(r))
				return false;
			r->len = 0;
		} else if (r->len == RELAY_LINE_MAX) {
			return fail(r, "a line that is too long");
		} else {
			r->line[r->len++] = buf[i];
		}
	}
	return true;
}

/* The child said all: its verdict counts if it ended as it should. */
static void
finish(struct relay *r)
{
	int status;

	if (!r->given) {
		r->why = "no verdict";
		return;
	}
	if (!child_wait(r->child, RELAY_ENDING_MS, &status))
		r->why = "it does not end";
	else if (status == -1 || !WIFEXITED(status))
		r->why = "it was killed";
	else if (WEXITSTATUS(status) != 0 &&
		 (r->verdict == VERDICT_OK || r->verdict == VERDICT_IGNORE))
		r->why = "it said yes and ended with an error";
	else if (kernel_gone(r->job->client))
		r->why = "the client is gone";
	else
		info_flush(r);
}

/* What there is to read; false when that was all. */
static bool
listen_to(struct relay *r)
{
	char buf[4096];
	ssize_t n = read(r->child->from, buf, sizeof(buf));

	if (n > 0)
		return bytes_take(r, buf, (size_t)n);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n == -1)
		return fail(r, "its words can't be read");
	finish(r);
	return false;
}

/* One wait for whatever comes first; false when it is over. */
static bool
step(struct relay *r)
{
	struct pollfd p[3] = {
		{ .fd = r->job->client, .events = POLLRDHUP },
		{ .fd = r->child->from, .events = POLLIN },
		{ .fd = pending(r) ? r->child->to : -1, .events = POLLOUT },
	};
	int64_t left = r->deadline - kernel_clock_ms();

	if (left <= 0)
		return fail(r,
		    r->given ? "it does not end" : "it takes too long");
	if (poll(p, 3, left > 60000 ? 60000 : (int)left) == -1)
		return errno == EINTR || fail(r, "no poll");
	if (p[0].revents != 0)
		return fail(r, "the client is gone");
	if (p[2].revents != 0)
		feed(r);
	return p[1].revents == 0 || listen_to(r);
}

enum verdict
relay_run(const struct relay_job *job, struct child *c, struct relay_said *said,
    const char **whyp)
{
	struct relay *r = calloc(1, sizeof(*r));
	enum verdict v = VERDICT_FAILED;

	*whyp = "no memory";
	if (r == NULL)
		return VERDICT_FAILED;
	r->job = job;
	r->child = c;
	r->said = said;
	r->deadline = job->deadline;
	if (queue(r, job->header, job->header_len))
		while (step(r))
			;
	*whyp = r->why;
	if (r->why == NULL)
		v = r->verdict;
	free(r->out);
	free(r);
	return v;
}
