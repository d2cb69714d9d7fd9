/* SPDX-License-Identifier: ISC */

/* verbs: one function a verb, one file a function; main.c has the table. */

#ifndef AAD_VERBS_H
#define AAD_VERBS_H

int verb_login(void *app, int argc, char **argv);
int verb_status(void *app, int argc, char **argv);
int verb_explain(void *app, int argc, char **argv);
int verb_refresh(void *app, int argc, char **argv);
int verb_deny(void *app, int argc, char **argv); /* also undeny */
int verb_forget(void *app, int argc, char **argv);
int verb_rekey(void *app, int argc, char **argv);
int verb_check(void *app, int argc, char **argv);
int verb_pam(void *app, int argc, char **argv);
int verb_token(void *app, int argc, char **argv);
int verb_reap(void *app, int argc, char **argv);

/*
 * The descriptor that the command line of `aadssh token` names, when it is
 * open for writing; -1 otherwise, and for every other verb.  To be asked
 * before priv_begin_keeping() closes it.
 */
int token_descriptor(int argc, char **argv);

#endif /* AAD_VERBS_H */
