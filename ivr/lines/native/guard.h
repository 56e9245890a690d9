/* What the two parts of the guard share. Licence: GPL-3.0-or-later. */
#ifndef TRIAGELINE_GUARD_H
#define TRIAGELINE_GUARD_H

#include <pjsua-lib/pjsua.h>
#include <pjsua-lib/pjsua_internal.h>
#include <string.h>

enum { REFUSED, SILENCED, BAD_LENGTH, STRAY_MEDIA, COUNTS };
enum { NAT_OFF, NAT_HOST, NAT_ANY };

typedef pj_uint8_t host_t[16]; /* IPv4 mapped into IPv6 */

extern unsigned triageline_counts[COUNTS];

void triageline_host_of(const pj_sockaddr *address, host_t host);
void triageline_gate_install(int nat_rule);

#endif
