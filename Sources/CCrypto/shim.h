/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The low-level interface is marked as deprecated in favour of EVP, which loads providers at run time and brings most of
 * libcrypto into a static program; this one is a few kilobytes of code (docs/decisions/0006-sha256.md).
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
