/* SPDX-License-Identifier: ISC */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "idp/aadsts.h"

/* A row for each machine value. */
static const struct error_row {
	const char *error;
	bool final; /* a number cannot refine it */
	enum aadsts_class class;
	enum aadsts_renewal renewal; /* when no number or suberror is known */
	enum reason why;
	const char *advice;
} errors[] = {
	{ "authorization_pending", true, AADSTS_PENDING, AADSTS_OUTAGE,
	    AAD_R_SIGNIN_EXPIRED,
	    "Nobody has finished the sign-in in the browser yet." },
	{ "slow_down", true, AADSTS_SLOW_DOWN, AADSTS_OUTAGE, AAD_R_THROTTLED,
	    "The provider wants to be asked less often." },
	{ "temporarily_unavailable", true, AADSTS_BUSY, AADSTS_OUTAGE,
	    AAD_R_PROVIDER,
	    "The provider is in trouble; try again in a few minutes." },
	{ "server_error", true, AADSTS_BUSY, AADSTS_OUTAGE, AAD_R_PROVIDER,
	    "The provider is in trouble; try again in a few minutes." },
	{ "authorization_declined", true, AADSTS_USER, AADSTS_OUTAGE,
	    AAD_R_SIGNIN_DECLINED,
	    "Somebody pressed Cancel or No in the browser." },
	{ "access_denied", false, AADSTS_USER, AADSTS_OUTAGE,
	    AAD_R_SIGNIN_DECLINED,
	    "Somebody pressed Cancel or No in the browser." },
	{ "expired_token", true, AADSTS_USER, AADSTS_OUTAGE,
	    AAD_R_SIGNIN_EXPIRED, "Try again and enter the new code in time." },
	{ "bad_verification_code", true, AADSTS_CONFIG, AADSTS_OUTAGE,
	    AAD_R_PROVIDER,
	    "The provider does not know the code that it gave out; check "
	    "[idp] tenant and cloud, and try again." },
	{ "invalid_grant", false, AADSTS_OTHER, AADSTS_OUTAGE,
	    AAD_R_SIGNIN_ADMIN,
	    "The refusal has a number that this program does not know; look "
	    "it up in the tenant's sign-in logs." },
	{ "interaction_required", false, AADSTS_USER, AADSTS_AGAIN,
	    AAD_R_SIGNIN_USER,
	    "The person has to do something in the browser first; try "
	    "again and follow the pages." },
	{ "login_required", false, AADSTS_USER, AADSTS_AGAIN, AAD_R_SIGNIN_USER,
	    "Try again and sign in with user name and password." },
	{ "consent_required", false, AADSTS_ADMIN, AADSTS_POLICY,
	    AAD_R_SIGNIN_ADMIN,
	    "An administrator has to consent to the application." },
	{ "invalid_client", false, AADSTS_CONFIG, AADSTS_POLICY,
	    AAD_R_SIGNIN_CONFIG,
	    "Check [idp] client_id and the application's authentication "
	    "settings." },
	{ "unauthorized_client", false, AADSTS_CONFIG, AADSTS_POLICY,
	    AAD_R_SIGNIN_CONFIG,
	    "Check [idp] client_id: the tenant does not know the "
	    "application, or it may not use the device code flow." },
	{ "invalid_scope", false, AADSTS_CONFIG, AADSTS_POLICY,
	    AAD_R_SIGNIN_CONFIG,
	    "Check [idp] scope and the permissions that the application "
	    "exposes." },
	{ "invalid_resource", false, AADSTS_CONFIG, AADSTS_POLICY,
	    AAD_R_SIGNIN_CONFIG,
	    "Check [idp] scope: the tenant does not know what it names." },
	{ "invalid_tenant", false, AADSTS_CONFIG, AADSTS_POLICY,
	    AAD_R_WRONG_TENANT, "Check [idp] tenant and cloud." },
	{ "invalid_request", false, AADSTS_CONFIG, AADSTS_POLICY,
	    AAD_R_SIGNIN_CONFIG,
	    "The provider finds the request faulty; check [idp], and report "
	    "it if all is right." },
	{ "unsupported_grant_type", false, AADSTS_CONFIG, AADSTS_POLICY,
	    AAD_R_SIGNIN_CONFIG,
	    "The provider does not offer the device code flow to this "
	    "application." },
};

/* Advice that several numbers share. */
#define MFA_FIRST                                                              \
	"Register a second factor (https://aka.ms/mfasetup), then try "        \
	"again."
#define MFA_AGAIN "Try again and complete the second factor."
#define NOT_HERE                                                               \
	"The account is not in this tenant; sign in with another one, or let " \
	"an administrator invite it."
#define CONSENT                                                                \
	"An administrator has to consent to the application (Enterprise "      \
	"applications, Permissions)."
#define DEVICE                                                                 \
	"A policy demands a managed device, which a device code cannot "       \
	"prove; an administrator can exclude the application from it."
#define BLOCKED                                                                \
	"A Conditional Access policy or the security defaults block it; the "  \
	"tenant's sign-in logs name the policy."
#define TOO_OLD	     "The sign-in is too old; sign in again."
#define SCOPE	     "Check [idp] scope and the permissions of the application."
#define NATIONAL     "The tenant lives in another cloud; set [idp] cloud."
#define TRANSIENT    "A passing fault of the provider; try again in a minute."
#define PASSWORD_OLD "The password has expired; change it, then sign in again."

/* A row for each AADSTS number worth words of its own. */
static const struct code_row {
	long code;
	enum aadsts_class class;
	enum reason why;
	const char *advice;
} codes[] = {
	{ 7000218, AADSTS_CONFIG, AAD_R_PUBLIC_CLIENT_OFF,
	    "In the app registration: Authentication, Allow public client "
	    "flows, Yes (isFallbackPublicClient)." },
	{ 700025, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG,
	    "The application is public and a secret was sent; something "
	    "between here and the provider changes requests." },
	{ 700016, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG,
	    "Check [idp] client_id: this tenant has no such application." },
	{ 70001, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG,
	    "Check [idp] client_id: this tenant has no such application." },
	{ 700011, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG,
	    "Check [idp] client_id: this tenant has no such application." },
	{ 7000112, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG,
	    "The application is disabled; an administrator can enable it "
	    "under Enterprise applications." },
	{ 50194, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG,
	    "Set [idp] tenant to the tenant's own id." },
	{ 90124, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG,
	    "Set [idp] tenant to the tenant's own id." },
	{ 90130, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG,
	    "Set [idp] tenant to the tenant's own id." },
	{ 9001023, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG,
	    "Set [idp] tenant to the tenant's own id." },
	{ 90002, AADSTS_CONFIG, AAD_R_WRONG_TENANT,
	    "Check [idp] tenant: no such tenant exists in this cloud." },
	{ 50059, AADSTS_CONFIG, AAD_R_WRONG_TENANT, "Check [idp] tenant." },
	{ 50128, AADSTS_CONFIG, AAD_R_WRONG_TENANT, "Check [idp] tenant." },
	{ 90019, AADSTS_CONFIG, AAD_R_WRONG_TENANT, "Check [idp] tenant." },
	{ 900439, AADSTS_CONFIG, AAD_R_WRONG_TENANT, NATIONAL },
	{ 90038, AADSTS_CONFIG, AAD_R_WRONG_TENANT, NATIONAL },
	{ 90051, AADSTS_CONFIG, AAD_R_WRONG_TENANT, NATIONAL },
	{ 90009, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG,
	    "Set [idp] scope = CLIENT_ID/.default openid profile "
	    "offline_access." },
	{ 500011, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG, SCOPE },
	{ 650057, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG, SCOPE },
	{ 65005, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG, SCOPE },
	{ 650056, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG, SCOPE },
	{ 650052, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG, SCOPE },
	{ 28002, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG, SCOPE },
	{ 70011, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG, SCOPE },
	{ 700022, AADSTS_CONFIG, AAD_R_SIGNIN_CONFIG,
	    "[idp] scope names two resources; name one." },
	{ 50196, AADSTS_CONFIG, AAD_R_THROTTLED,
	    "Too many sign-ins were started in a short time; wait a few "
	    "minutes." },

	{ 50057, AADSTS_DENY, AAD_R_SIGNIN_DISABLED,
	    "An administrator of the tenant disabled the account." },

	{ 65001, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN, CONSENT },
	{ 90094, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN, CONSENT },
	{ 90095, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN, CONSENT },
	{ 90008, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN, CONSENT },
	{ 50105, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN,
	    "The account is not assigned to the application; an "
	    "administrator assigns it under Enterprise applications, Users "
	    "and groups." },
	{ 50034, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN, NOT_HERE },
	{ 51004, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN, NOT_HERE },
	{ 50014, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN, NOT_HERE },
	{ 50020, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN, NOT_HERE },
	{ 16000, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN, NOT_HERE },
	{ 16003, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN, NOT_HERE },
	{ 90072, AADSTS_ADMIN, AAD_R_SIGNIN_ADMIN, NOT_HERE },
	{ 500212, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY,
	    "The account's home tenant forbids signing in to this tenant; "
	    "its administrator has to allow it." },
	{ 500213, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY,
	    "This tenant does not admit accounts of that tenant; its "
	    "administrator has to allow it." },
	{ 50097, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, DEVICE },
	{ 50129, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, DEVICE },
	{ 50155, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, DEVICE },
	{ 50187, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, DEVICE },
	{ 53000, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, DEVICE },
	{ 53001, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, DEVICE },
	{ 53002, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, DEVICE },
	{ 53003, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, BLOCKED },
	{ 53004, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, BLOCKED },
	{ 53010, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, BLOCKED },
	{ 53011, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, BLOCKED },
	{ 530032, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, BLOCKED },
	{ 530034, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, BLOCKED },
	{ 530035, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, BLOCKED },
	{ 50131, AADSTS_ADMIN, AAD_R_SIGNIN_POLICY, BLOCKED },

	{ 50053, AADSTS_USER, AAD_R_SIGNIN_USER,
	    "The account is locked, or the address is not trusted; wait, or "
	    "let an administrator unlock it." },
	{ 50055, AADSTS_USER, AAD_R_SIGNIN_USER, PASSWORD_OLD },
	{ 50144, AADSTS_USER, AAD_R_SIGNIN_USER, PASSWORD_OLD },
	{ 50126, AADSTS_USER, AAD_R_SIGNIN_USER,
	    "The user name or password is wrong; try again." },
	{ 50072, AADSTS_USER, AAD_R_SIGNIN_USER, MFA_FIRST },
	{ 50079, AADSTS_USER, AAD_R_SIGNIN_USER, MFA_FIRST },
	{ 50203, AADSTS_USER, AAD_R_SIGNIN_USER, MFA_FIRST },
	{ 50074, AADSTS_USER, AAD_R_SIGNIN_USER, MFA_AGAIN },
	{ 50076, AADSTS_USER, AAD_R_SIGNIN_USER, MFA_AGAIN },
	{ 50078, AADSTS_USER, AAD_R_SIGNIN_USER, MFA_AGAIN },
	{ 500121, AADSTS_USER, AAD_R_SIGNIN_USER, MFA_AGAIN },
	{ 500208, AADSTS_USER, AAD_R_SIGNIN_USER,
	    "This tenant does not take accounts of that kind; sign in with "
	    "an account of the organization." },
	{ 65004, AADSTS_USER, AAD_R_SIGNIN_DECLINED,
	    "Somebody refused the application in the browser." },
	{ 90120, AADSTS_USER, AAD_R_SIGNIN_USER,
	    "The code was already used; try again." },
	{ 54005, AADSTS_USER, AAD_R_SIGNIN_USER,
	    "The code was already used; try again." },
	{ 70018, AADSTS_USER, AAD_R_SIGNIN_USER,
	    "The code was not known; try again and type it with "
	    "care." },
	{ 70019, AADSTS_USER, AAD_R_SIGNIN_EXPIRED,
	    "Try again and enter the new code in time." },
	{ 70020, AADSTS_USER, AAD_R_SIGNIN_EXPIRED,
	    "Try again and enter the new code in time." },
	{ 50173, AADSTS_USER, AAD_R_SIGNIN_USER, TOO_OLD },
	{ 50132, AADSTS_USER, AAD_R_SIGNIN_USER, TOO_OLD },
	{ 50133, AADSTS_USER, AAD_R_SIGNIN_USER, TOO_OLD },
	{ 50089, AADSTS_USER, AAD_R_SIGNIN_USER, TOO_OLD },
	{ 70008, AADSTS_USER, AAD_R_SIGNIN_USER, TOO_OLD },
	{ 70043, AADSTS_USER, AAD_R_SIGNIN_USER, TOO_OLD },
	{ 70044, AADSTS_USER, AAD_R_SIGNIN_USER, TOO_OLD },
	{ 700082, AADSTS_USER, AAD_R_SIGNIN_USER, TOO_OLD },

	/* Passing faults; only `error` or the status makes us ask again. */
	{ 90055, AADSTS_OTHER, AAD_R_THROTTLED,
	    "The whole tenant is asking too much; try again in a few "
	    "minutes." },
	{ 90006, AADSTS_OTHER, AAD_R_PROVIDER, TRANSIENT },
	{ 90012, AADSTS_OTHER, AAD_R_PROVIDER, TRANSIENT },
	{ 90024, AADSTS_OTHER, AAD_R_PROVIDER, TRANSIENT },
	{ 90033, AADSTS_OTHER, AAD_R_PROVIDER, TRANSIENT },
	{ 50033, AADSTS_OTHER, AAD_R_PROVIDER, TRANSIENT },
	{ 50087, AADSTS_OTHER, AAD_R_PROVIDER, TRANSIENT },
};

/* And one for each suberror, for a number that we do not know. */
static const struct suberror_row {
	const char *suberror;
	enum aadsts_class class;
	enum aadsts_renewal renewal;
	enum reason why;
	const char *advice;
} suberrors[] = {
	{ "basic_action", AADSTS_USER, AADSTS_AGAIN, AAD_R_SIGNIN_USER,
	    "Try again and follow the pages to the end." },
	{ "additional_action", AADSTS_ADMIN, AADSTS_POLICY, AAD_R_SIGNIN_POLICY,
	    "A policy wants more than a sign-in in a browser can give; the "
	    "tenant's sign-in logs name it." },
	{ "message_only", AADSTS_ADMIN, AADSTS_POLICY, AAD_R_SIGNIN_POLICY,
	    BLOCKED },
	{ "user_password_expired", AADSTS_USER, AADSTS_AGAIN, AAD_R_SIGNIN_USER,
	    PASSWORD_OLD },
	{ "consent_required", AADSTS_ADMIN, AADSTS_POLICY, AAD_R_SIGNIN_ADMIN,
	    CONSENT },
	{ "protection_policy_required", AADSTS_ADMIN, AADSTS_POLICY,
	    AAD_R_SIGNIN_POLICY, DEVICE },
	{ "device_authentication_failed", AADSTS_ADMIN, AADSTS_POLICY,
	    AAD_R_SIGNIN_POLICY, DEVICE },
	{ "bad_token", AADSTS_USER, AADSTS_AGAIN, AAD_R_SIGNIN_USER, TOO_OLD },
	{ "token_expired", AADSTS_USER, AADSTS_AGAIN, AAD_R_SIGNIN_USER,
	    TOO_OLD },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct code_row *
find_code(const struct grant_error *e)
{
	size_t i, k;

	for (i = 0; i < e->ncodes; i++)
		for (k = 0; k < COUNT(codes); k++)
			if (codes[k].code == e->codes[i])
				return &codes[k];
	return NULL;
}

static bool
by_code(const struct grant_error *e, struct aadsts_verdict *v)
{
	const struct code_row *row = find_code(e);

	if (row == NULL)
		return false;
	v->class = row->class;
	v->why = row->why;
	v->advice = row->advice;
	v->code = row->code;
	return true;
}

static bool
by_suberror(const struct grant_error *e, struct aadsts_verdict *v)
{
	size_t i;

	for (i = 0; i < COUNT(suberrors); i++) {
		if (strcmp(suberrors[i].suberror, e->suberror) != 0)
			continue;
		v->class = suberrors[i].class;
		v->why = suberrors[i].why;
		v->advice = suberrors[i].advice;
		return true;
	}
	return false;
}

static const struct error_row *
find_error(const struct grant_error *e)
{
	size_t i;

	for (i = 0; i < COUNT(errors); i++)
		if (strcmp(errors[i].error, e->error) == 0)
			return &errors[i];
	return NULL;
}

void
aadsts_judge(const struct grant_error *e, struct aadsts_verdict *v)
{
	const struct error_row *row = find_error(e);

	v->class = AADSTS_OTHER;
	v->why = AAD_R_PROVIDER;
	v->advice = "The provider refused with an error that no standard "
		    "names; check [idp] authority.";
	v->code = e->ncodes > 0 ? e->codes[0] : 0;
	if (row != NULL) {
		v->class = row->class;
		v->why = row->why;
		v->advice = row->advice;
		if (row->final)
			return;
	}
	if (!by_code(e, v))
		(void)by_suberror(e, v);
}

const char *
aadsts_detail(const struct grant_error *e, const struct aadsts_verdict *v,
    char out[static AADSTS_DETAIL_MAX])
{
	char what[GRANT_ERROR_LEN + 16], where[NAME_GUID_LEN + 32] = "";

	if (v->code != 0)
		snprintf(what, sizeof(what), "AADSTS%ld", v->code);
	else
		snprintf(what, sizeof(what), "error %s", e->error);
	if (e->correlation_id[0] != '\0')
		snprintf(where, sizeof(where), ", correlation id %s",
		    e->correlation_id);
	snprintf(out, AADSTS_DETAIL_MAX, "%s (%s%s)", v->advice, what, where);
	return out;
}

/*
 * What a number says when a refresh token was refused; ranges, because the
 * policies (530xx, 5300xx) get new numbers without notice.
 */
static const struct renewal_row {
	long first, last;
	enum aadsts_renewal means;
} renewals[] = {
	/* only what is certain about this one identity */
	{ 50057, 50057, AADSTS_GONE }, /* disabled */
	{ 50034, 50034, AADSTS_GONE }, /* no such account in the tenant */
	{ 51004, 51004, AADSTS_GONE },
	{ 50014, 50014, AADSTS_GONE },
	{ 50020, 50020, AADSTS_GONE },
	{ 16003, 16003, AADSTS_GONE },
	{ 50105, 50105, AADSTS_GONE }, /* not assigned to the application */

	{ 50173, 50173, AADSTS_AGAIN }, /* password changed, or revoked */
	{ 50132, 50133, AADSTS_AGAIN },
	{ 50089, 50089, AADSTS_AGAIN },
	{ 50085, 50085, AADSTS_AGAIN },
	{ 70000, 70000, AADSTS_AGAIN }, /* malformed or foreign token */
	{ 70008, 70008, AADSTS_AGAIN }, /* too old */
	{ 700081, 700082, AADSTS_AGAIN },
	{ 700084, 700084, AADSTS_AGAIN },
	{ 70043, 70044, AADSTS_AGAIN }, /* sign-in frequency */
	{ 50072, 50072, AADSTS_AGAIN }, /* second factor */
	{ 50074, 50074, AADSTS_AGAIN },
	{ 50076, 50076, AADSTS_AGAIN },
	{ 50078, 50079, AADSTS_AGAIN },
	{ 50158, 50158, AADSTS_AGAIN },
	{ 50203, 50203, AADSTS_AGAIN },
	{ 500121, 500121, AADSTS_AGAIN },
	{ 50055, 50055, AADSTS_AGAIN }, /* password expired, or wrong */
	{ 50125, 50126, AADSTS_AGAIN },
	{ 50142, 50142, AADSTS_AGAIN },
	{ 50144, 50144, AADSTS_AGAIN },
	{ 50058, 50058, AADSTS_AGAIN }, /* other interaction */
	{ 16000, 16000, AADSTS_AGAIN },
	{ 65004, 65004, AADSTS_AGAIN },
	{ 90072, 90072, AADSTS_AGAIN },

	{ 53000, 53011, AADSTS_POLICY }, /* Conditional Access */
	{ 530000, 530099, AADSTS_POLICY },
	{ 50097, 50097, AADSTS_POLICY },
	{ 50129, 50129, AADSTS_POLICY },
	{ 50131, 50131, AADSTS_POLICY },
	{ 50155, 50155, AADSTS_POLICY },
	{ 50187, 50187, AADSTS_POLICY },
	{ 50053, 50053, AADSTS_POLICY }, /* locked, or a flagged address */
	{ 500208, 500208, AADSTS_POLICY },
	{ 500212, 500213, AADSTS_POLICY },
	{ 65001, 65001, AADSTS_POLICY }, /* consent */
	{ 90094, 90095, AADSTS_POLICY },
	{ 90008, 90009, AADSTS_POLICY }, /* registration, configuration */
	{ 7000218, 7000218, AADSTS_POLICY },
	{ 700025, 700025, AADSTS_POLICY },
	{ 700016, 700016, AADSTS_POLICY },
	{ 70001, 70001, AADSTS_POLICY },
	{ 700011, 700011, AADSTS_POLICY },
	{ 7000112, 7000112, AADSTS_POLICY },
	{ 70003, 70003, AADSTS_POLICY },
	{ 70011, 70011, AADSTS_POLICY },
	{ 700022, 700022, AADSTS_POLICY },
	{ 28002, 28002, AADSTS_POLICY },
	{ 500011, 500011, AADSTS_POLICY },
	{ 65005, 65005, AADSTS_POLICY },
	{ 650052, 650052, AADSTS_POLICY },
	{ 650056, 650057, AADSTS_POLICY },
	{ 50059, 50059, AADSTS_POLICY },
	{ 50128, 50128, AADSTS_POLICY },
	{ 50194, 50194, AADSTS_POLICY },
	{ 90002, 90002, AADSTS_POLICY },
	{ 90019, 90019, AADSTS_POLICY },
	{ 90038, 90038, AADSTS_POLICY },
	{ 90051, 90051, AADSTS_POLICY },
	{ 90124, 90124, AADSTS_POLICY },
	{ 90130, 90130, AADSTS_POLICY },
	{ 900439, 900439, AADSTS_POLICY },
	{ 9001023, 9001023, AADSTS_POLICY },

	/* passing faults, known as such */
	{ 50033, 50033, AADSTS_OUTAGE },
	{ 50087, 50087, AADSTS_OUTAGE },
	{ 50196, 50196, AADSTS_OUTAGE },
	{ 90006, 90006, AADSTS_OUTAGE },
	{ 90012, 90012, AADSTS_OUTAGE },
	{ 90024, 90024, AADSTS_OUTAGE },
	{ 90033, 90033, AADSTS_OUTAGE },
	{ 90055, 90055, AADSTS_OUTAGE },
};

static const struct renewal_row *
find_renewal(long code)
{
	size_t i;

	for (i = 0; i < COUNT(renewals); i++)
		if (code >= renewals[i].first && code <= renewals[i].last)
			return &renewals[i];
	return NULL;
}

static enum aadsts_renewal
milder(enum aadsts_renewal a, enum aadsts_renewal b)
{
	static const int harm[] = {
		[AADSTS_OUTAGE] = 0,
		[AADSTS_POLICY] = 1,
		[AADSTS_AGAIN] = 2,
		[AADSTS_GONE] = 3,
	};

	return harm[a] <= harm[b] ? a : b;
}

/* What the numbers say together; false when none is known. */
static bool
renewal_by_codes(const struct grant_error *e, enum aadsts_renewal *outp)
{
	const struct renewal_row *row;
	enum aadsts_renewal means = AADSTS_GONE;
	bool known = false;
	size_t i;

	for (i = 0; i < e->ncodes; i++) {
		row = find_renewal(e->codes[i]);
		known = known || row != NULL;
		means = milder(means, row == NULL ? AADSTS_AGAIN : row->means);
	}
	if (known)
		*outp = means;
	return known;
}

static bool
renewal_by_suberror(const struct grant_error *e, enum aadsts_renewal *outp)
{
	size_t i;

	for (i = 0; i < COUNT(suberrors); i++)
		if (strcmp(suberrors[i].suberror, e->suberror) == 0) {
			*outp = suberrors[i].renewal;
			return true;
		}
	return false;
}

enum aadsts_renewal
aadsts_renewal(const struct grant_error *e, long status)
{
	const struct error_row *row = find_error(e);
	enum aadsts_renewal means;

	if (status == 429 || status >= 500 || row == NULL || row->final)
		return AADSTS_OUTAGE;
	means = row->renewal;
	if (!renewal_by_codes(e, &means))
		(void)renewal_by_suberror(e, &means);
	return row->class == AADSTS_CONFIG ? milder(means, AADSTS_POLICY)
					   : means;
}
