/* SPDX-License-Identifier: Apache-2.0 */
/* value.h: judges the value of one directive, while httpd reads the directive. */
#ifndef ESIGN_SERVER_VALUE_H
#define ESIGN_SERVER_VALUE_H

#include <apr_pools.h>

/* Returns NULL if `*value` is good, else the mistake and its cure, without the directive's name.
 * May replace `*value` by its full form. Both texts are in `p`. */
typedef const char *esign_value_check_fn(apr_pool_t *p, const char **value);

/* A URL path such as /esign. */
esign_value_check_fn esign_value_check_path;
/* A scheme, host and port; the full form is what browsers send as Origin. */
esign_value_check_fn esign_value_check_origin;
/* An http or https URL without a query; a slash at its end is cut off. */
esign_value_check_fn esign_value_check_http;
/* A link on a page: an https URL, or a path of this server. */
esign_value_check_fn esign_value_check_link;
/* A text, not empty and without control characters. */
esign_value_check_fn esign_value_check_line;
/* A request header, "Name: value". */
esign_value_check_fn esign_value_check_header;
/* GET or POST. */
esign_value_check_fn esign_value_check_method;
/* A path; the full form is absolute, below ServerRoot. */
esign_value_check_fn esign_value_check_file;
/* A configuration string of libmemcached that cache/cache.h accepts. */
esign_value_check_fn esign_value_check_memcached;
/* A scheme of core/national_id.h. */
esign_value_check_fn esign_value_check_identity_number;
/* An ASCII e-mail address. */
esign_value_check_fn esign_value_check_email;
/* off, syslog, syslog:FACILITY, "|PROGRAM arguments" or "|$command". */
esign_value_check_fn esign_value_check_audit_log;
/* A regular expression of core/pattern.h. */
esign_value_check_fn esign_value_check_pattern;

#endif
