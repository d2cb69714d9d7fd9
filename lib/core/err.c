/* SPDX-License-Identifier: ISC */

#include "core/err.h"

const char *
err_name(int r)
{
	switch (r) {
	case 0:
		return "OK";
	case AAD_EINTERNAL:
		return "EINTERNAL";
	case AAD_ENOMEM:
		return "ENOMEM";
	case AAD_ESYS:
		return "ESYS";
	case AAD_ENOENT:
		return "ENOENT";
	case AAD_EEXIST:
		return "EEXIST";
	case AAD_EPERM:
		return "EPERM";
	case AAD_ETOOBIG:
		return "ETOOBIG";
	case AAD_EFORMAT:
		return "EFORMAT";
	case AAD_EVERSION:
		return "EVERSION";
	case AAD_ESIG:
		return "ESIG";
	case AAD_EARG:
		return "EARG";
	case AAD_EREFUSED:
		return "EREFUSED";
	case AAD_ENET:
		return "ENET";
	case AAD_EAGAIN:
		return "EAGAIN";
	default:
		return "EUNKNOWN";
	}
}
