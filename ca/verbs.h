/* SPDX-License-Identifier: ISC */

/* verbs: one function a verb, one file a function; main.c has the table. */

#ifndef AAD_CA_VERBS_H
#define AAD_CA_VERBS_H

int verb_init(void *app, int argc, char **argv);
int verb_sign(void *app, int argc, char **argv);
int verb_sign_host(void *app, int argc, char **argv);
int verb_show(void *app, int argc, char **argv);
int verb_list(void *app, int argc, char **argv);
int verb_verify(void *app, int argc, char **argv);
int verb_keys(void *app, int argc, char **argv);
int verb_revoke(void *app, int argc, char **argv); /* also unrevoke */
int verb_krl(void *app, int argc, char **argv);
int verb_rotate(void *app, int argc, char **argv);
int verb_publish(void *app, int argc, char **argv);
int verb_backup(void *app, int argc, char **argv);
int verb_restore(void *app, int argc, char **argv);
int verb_check(void *app, int argc, char **argv);

#endif /* AAD_CA_VERBS_H */
