/* SPDX-License-Identifier: ISC */

/*
 * fetch URL CA-FILE: what a helper that asks a server for each key must do at
 * the least: one GET over TLS with the certificate checked.  The body, which
 * stands for its answer, goes to stdout.
 */

#include <curl/curl.h>

int
main(int argc, char **argv)
{
	CURL *c = NULL;
	int r = 1;

	if (argc != 3 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (c = curl_easy_init()) == NULL)
		return 2;
	if (curl_easy_setopt(c, CURLOPT_URL, argv[1]) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_CAINFO, argv[2]) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
	    curl_easy_perform(c) == CURLE_OK)
		r = 0;
	curl_easy_cleanup(c);
	curl_global_cleanup();
	return r;
}
