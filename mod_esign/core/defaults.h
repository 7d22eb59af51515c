/* SPDX-License-Identifier: Apache-2.0 */
/* defaults.h: defaults and bounds that httpd's directives and esignctl's settings share. */
#ifndef ESIGN_CORE_DEFAULTS_H
#define ESIGN_CORE_DEFAULTS_H

/* Paths, which the build passes: ESIGN_CONFDIR, ESIGN_HTDOCS and ESIGN_BLOCKLIST. */
#define ESIGN_DEFAULT_SETTINGS ESIGN_CONFDIR "/esignctl.conf"
#define ESIGN_DEFAULT_HTDOCS ESIGN_HTDOCS
#define ESIGN_DEFAULT_BLOCKLIST ESIGN_BLOCKLIST

#define ESIGN_DEFAULT_PREFIX "/esign"
#define ESIGN_DEFAULT_IDENTITY_NUMBER "tckn"

/* Argon2id's memory in KiB and its passes. The lower bounds, which are also the defaults, are those
 * of OWASP's Password Storage Cheat Sheet. */
#define ESIGN_HASH_MEMORY_MIN 19456
#define ESIGN_HASH_MEMORY_MAX (1024 * 1024)
#define ESIGN_HASH_PASSES_MIN 2
#define ESIGN_HASH_PASSES_MAX 16

/* Code points of a security word (NIST SP 800-63B-4, section 3.1.1.2: at least 8 beside another
 * factor, at least 64 accepted). */
#define ESIGN_WORD_LENGTH_MIN 8
#define ESIGN_WORD_LENGTH_MAX 128

#endif
