# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034
#
# The test tenant and the people of test/idp/users.json that tests sign in as.

TENANT=5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77
CLIENT_ID=b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4
DOMAIN=contoso.com
REQUIRE=role:ssh.user

ALICE=alice@contoso.com
ALICE_OID=1c9a52de-7b30-4f86-9e41-6a0d8c35b2f1
BOB=bob@contoso.com
BOB_OID=83e7d10b-52c4-4a9f-b6d8-0f19e4a7c263
