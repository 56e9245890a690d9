/* The guard of the tuned SIP library: decides what strangers may cost, before the library spends anything on them.
 *
 * A module before the transaction layer answers without state what no call needs (RFC 3261 section 8.2), so that a
 * request which is refused never takes a transaction, a dialog or a call slot. gate.c does the same for media.
 *
 * Licence: GPL-3.0-or-later, like the library it is linked into.
 */
#include "guard.h"

#define NETWORKS 256
#define SOURCES 1024
#define REFUSALS_IN_ALL 100 /* answers to strangers in a second, all sources together: no amplifier for forged ones */

unsigned triageline_counts[COUNTS];

struct network { host_t host; unsigned bits; };
struct bucket { host_t host; pj_uint32_t at_ms; unsigned thousandths; };

static struct network networks[NETWORKS];
static unsigned network_count, calls_per_s, refusals_per_s;
static struct bucket refusals[SOURCES], calls[SOURCES], refusals_in_all;

static pj_uint32_t now_ms(void)
{
    pj_time_val now;
    pj_gettickcount(&now);
    return (pj_uint32_t)PJ_TIME_VAL_MSEC(now);
}

void triageline_host_of(const pj_sockaddr *address, host_t host)
{
    static const pj_uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (address->addr.sa_family == pj_AF_INET6()) {
        memcpy(host, &address->ipv6.sin6_addr, 16);
    } else {
        memcpy(host, mapped, 12);
        memcpy(host + 12, &address->ipv4.sin_addr, 4);
    }
}

static pj_bool_t in_network(const host_t host, const struct network *net)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;
    if (memcmp(host, net->host, whole)) return PJ_FALSE;
    return !rest || ((host[whole] ^ net->host[whole]) >> (8 - rest)) == 0;
}

static pj_bool_t welcome(const pj_sockaddr *source)
{
    host_t host;
    unsigned i;
    triageline_host_of(source, host);
    for (i = 0; i < network_count; ++i)
        if (in_network(host, &networks[i])) return PJ_TRUE;
    return network_count == 0;
}

/* A token bucket that holds two seconds' worth; 0 a second means no limit. */
static pj_bool_t take(struct bucket *from, unsigned per_s)
{
    pj_uint32_t now = now_ms(), passed = now - from->at_ms;
    if (per_s == 0) return PJ_TRUE;
    from->thousandths = PJ_MIN(2000u * per_s, from->thousandths + PJ_MIN(passed, 2000u) * per_s);
    from->at_ms = now;
    if (from->thousandths < 1000) return PJ_FALSE;
    from->thousandths -= 1000;
    return PJ_TRUE;
}

/* The place of a source in a table of fixed size; a source that falls on another's place takes it over, full. */
static struct bucket *bucket_of(struct bucket *table, const pj_sockaddr *source, unsigned per_s)
{
    host_t host;
    struct bucket *found;
    triageline_host_of(source, host);
    found = &table[pj_hash_calc(0, host, sizeof(host)) % SOURCES];
    if (memcmp(found->host, host, sizeof(host))) {
        memcpy(found->host, host, sizeof(host));
        found->at_ms = now_ms();
        found->thousandths = 2000 * per_s;
    }
    return found;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static pj_bool_t answer(pjsip_rx_data *rdata, int code, const pjsip_hdr *headers)
{
    const pj_sockaddr *source = &rdata->pkt_info.src_addr;
    pjsip_endpoint *endpoint = pjsua_get_pjsip_endpt();
    if (rdata->msg_info.msg->line.req.method.id == PJSIP_ACK_METHOD) return PJ_TRUE;
    if (code >= 300) {
        pj_bool_t known = network_count && welcome(source); /* an edge stands for many callers */
        struct bucket *theirs = bucket_of(refusals, source, refusals_per_s);
        if (!known && (!take(theirs, refusals_per_s) || !take(&refusals_in_all, REFUSALS_IN_ALL))) {
            ++triageline_counts[SILENCED];
            return PJ_TRUE;
        }
        ++triageline_counts[REFUSED];
    }
    pjsip_endpt_respond_stateless(endpoint, rdata, code, NULL, headers, NULL);
    return PJ_TRUE;
}

static pj_bool_t answer_with_methods(pjsip_rx_data *rdata, int code)
{
    pjsip_hdr headers;
    const pjsip_hdr *allow = pjsip_endpt_get_capability(pjsua_get_pjsip_endpt(), PJSIP_H_ALLOW, NULL);
    pj_list_init(&headers);
    if (allow) pj_list_push_back(&headers, pjsip_hdr_clone(rdata->tp_info.pool, allow));
    return answer(rdata, code, &headers);
}

/* RFC 3261 section 18.3, RFC 4475 section 3.1.2: one length, and no longer than what came. On a stream what follows
 * cannot be trusted to begin where a message begins, so the connection is closed. */
static pj_bool_t bad_length(pjsip_rx_data *rdata)
{
    pjsip_msg *msg = rdata->msg_info.msg;
    pjsip_hdr *first = (pjsip_hdr *)pjsip_msg_find_hdr(msg, PJSIP_H_CONTENT_LENGTH, NULL);
    pj_size_t said = first ? (pj_size_t)((pjsip_clen_hdr *)first)->len : 0;
    const char *end = rdata->msg_info.msg_buf + rdata->msg_info.len;
    pj_str_t head, blank = {"\r\n\r\n", 4};
    char *gap;
    if (!first) return PJ_FALSE;
    if (first->next != &msg->hdr && pjsip_msg_find_hdr(msg, PJSIP_H_CONTENT_LENGTH, first->next)) return PJ_TRUE;
    pj_strset(&head, rdata->msg_info.msg_buf, rdata->msg_info.len);
    gap = pj_strstr(&head, &blank);
    return said > (gap ? (pj_size_t)(end - gap - 4) : 0);
}

static pj_bool_t replaces(pjsip_msg *msg)
{
    static const pj_str_t name = {"Replaces", 8};
    pjsip_require_hdr *require = (pjsip_require_hdr *)pjsip_msg_find_hdr(msg, PJSIP_H_REQUIRE, NULL);
    unsigned i;
    if (pjsip_msg_find_hdr_by_name(msg, &name, NULL)) return PJ_TRUE;
    for (i = 0; require && i < require->count; ++i)
        if (pj_stricmp(&require->values[i], &name) == 0) return PJ_TRUE;
    return PJ_FALSE;
}

/* A request that is sent again belongs to a call that was let in. */
static pj_bool_t came_before(pjsip_rx_data *rdata)
{
    pj_str_t key;
    const pjsip_method *method = &rdata->msg_info.msg->line.req.method;
    return pjsip_tsx_create_key(rdata->tp_info.pool, &key, PJSIP_ROLE_UAS, method, rdata) == PJ_SUCCESS &&
           pjsip_tsx_layer_find_tsx(&key, PJ_FALSE);
}

static pj_bool_t is_one_of(const pj_str_t *name, const char *const *names)
{
    for (; *names; ++names)
        if (pj_stricmp2(name, *names) == 0) return PJ_TRUE;
    return PJ_FALSE;
}

static pj_bool_t on_request(pjsip_rx_data *rdata)
{
    static const char *const in_calls[] = {"BYE", "INFO", "UPDATE", "PRACK", NULL};
    static const char *const never[] = {"MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REGISTER", NULL};
    pjsip_msg *msg = rdata->msg_info.msg;
    const pjsip_method *method = &msg->line.req.method;
    const pj_str_t *ours = &rdata->msg_info.to->tag;
    const pj_str_t *theirs = &rdata->msg_info.from->tag, *call = &rdata->msg_info.cid->id;
    pj_bool_t known = ours->slen && pjsip_ua_find_dialog(call, ours, theirs, PJ_FALSE);
    pjsip_transport *transport = rdata->tp_info.transport;

    if (bad_length(rdata)) {
        ++triageline_counts[BAD_LENGTH];
        answer(rdata, PJSIP_SC_BAD_REQUEST, NULL);
        if (!(transport->flag & PJSIP_TRANSPORT_DATAGRAM)) pjsip_transport_shutdown(transport);
        return PJ_TRUE;
    }
    if (!known && !welcome(&rdata->pkt_info.src_addr)) return answer(rdata, PJSIP_SC_FORBIDDEN, NULL);
    if (is_one_of(&method->name, never)) return answer_with_methods(rdata, PJSIP_SC_METHOD_NOT_ALLOWED);
    if (ours->slen || method->id == PJSIP_ACK_METHOD || method->id == PJSIP_CANCEL_METHOD) return PJ_FALSE;
    if (method->id == PJSIP_OPTIONS_METHOD) return answer_with_methods(rdata, PJSIP_SC_OK);
    if (method->id == PJSIP_INVITE_METHOD) {
        struct bucket *share = bucket_of(calls, &rdata->pkt_info.src_addr, calls_per_s);
        if (replaces(msg)) return answer(rdata, PJSIP_SC_FORBIDDEN, NULL);
        if (take(share, calls_per_s) || came_before(rdata)) return PJ_FALSE;
        return answer(rdata, PJSIP_SC_SERVICE_UNAVAILABLE, NULL);
    }
    if (is_one_of(&method->name, in_calls)) return answer(rdata, PJSIP_SC_CALL_TSX_DOES_NOT_EXIST, NULL);
    if (pj_stricmp2(&method->name, "REFER") == 0) return answer_with_methods(rdata, PJSIP_SC_METHOD_NOT_ALLOWED);
    return answer(rdata, PJSIP_SC_NOT_IMPLEMENTED, NULL);
}

/* Somebody who called us may not have a digest of a trunk's secret by challenging our BYE. */
static pj_bool_t on_response(pjsip_rx_data *rdata)
{
    int code = rdata->msg_info.msg->line.status.code;
    pjsip_dialog *dialog;
    if (code != PJSIP_SC_UNAUTHORIZED && code != PJSIP_SC_PROXY_AUTHENTICATION_REQUIRED) return PJ_FALSE;
    dialog = pjsip_ua_find_dialog(&rdata->msg_info.cid->id, &rdata->msg_info.from->tag, &rdata->msg_info.to->tag,
                                  PJ_FALSE);
    if (dialog && dialog->role == PJSIP_ROLE_UAS) dialog->auth_sess.cred_cnt = 0;
    return PJ_FALSE;
}

static pjsip_module module = {
    NULL, NULL, {"mod-triageline-guard", 20}, -1, PJSIP_MOD_PRIORITY_TSX_LAYER - 1,
    NULL, NULL, NULL, NULL, &on_request, &on_response, NULL, NULL, NULL,
};

/* What still comes on a connection that is being closed is not read. */
static pj_status_t on_stream_data(pjsip_tp_rx_data *data)
{
    if (data->tp->is_shutdown) data->len = 0;
    return PJ_SUCCESS;
}

static void on_dropped_data(pjsip_tp_dropped_data *data)
{
    if (data->status == PJ_EIGNORED || (data->tp->flag & PJSIP_TRANSPORT_DATAGRAM)) return;
    ++triageline_counts[BAD_LENGTH];
    pjsip_transport_shutdown(data->tp);
}

/* ---- for Python -------------------------------------------------------------------------------------------------- */

static pj_bool_t read_network(char *text, struct network *net)
{
    char *slash = strchr(text, '/');
    pj_sockaddr address;
    pj_str_t host;
    if (slash) *slash = '\0';
    host = pj_str(text);
    if (pj_sockaddr_init(strchr(text, ':') ? pj_AF_INET6() : pj_AF_INET(), &address, &host, 0)) return PJ_FALSE;
    triageline_host_of(&address, net->host);
    net->bits = slash ? (unsigned)atoi(slash + 1) : 128;
    if (slash && !strchr(text, ':')) net->bits += 96;
    return net->bits <= 128;
}

/* The library tells every peer what it can do; what is refused anyway is not told. */
static void forget(int header, const char *const *names)
{
    const pjsip_hdr *found = pjsip_endpt_get_capability(pjsua_get_pjsip_endpt(), header, NULL);
    pjsip_generic_array_hdr *all = (pjsip_generic_array_hdr *)found;
    unsigned from, to = 0;
    for (from = 0; all && from < all->count; ++from)
        if (!is_one_of(&all->values[from], names)) all->values[to++] = all->values[from];
    if (all) all->count = to;
}

/* Networks apart by spaces, none for all; new calls and refusals a second and source, 0 for no limit; the rule for
 * media behind a NAT; the longest wait for an answer to a request. 0, or an error of the library; 1 where a network
 * cannot be read. Once after every initialisation, on the thread that made it. */
int triageline_guard_install(const char *allowed, unsigned new_calls, unsigned refused, int nat_rule, unsigned wait_ms)
{
    static const char *const methods[] = {"MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", NULL};
    static const char *const options[] = {"replaces", "norefersub", NULL};
    pjsip_endpoint *endpoint = pjsua_get_pjsip_endpt();
    pjsip_tpmgr *transports = pjsip_endpt_get_tpmgr(endpoint);
    char text[64];
    network_count = 0;
    while (*allowed) {
        size_t length = strcspn(allowed, " ");
        if (length == 0 || length >= sizeof(text) || network_count == NETWORKS) return 1;
        memcpy(text, allowed, length);
        text[length] = '\0';
        if (!read_network(text, &networks[network_count++])) return 1;
        allowed += length + (allowed[length] == ' ');
    }
    calls_per_s = new_calls;
    refusals_per_s = refused;
    memset(triageline_counts, 0, sizeof(triageline_counts));
    memset(calls, 0, sizeof(calls));
    memset(refusals, 0, sizeof(refusals));
    refusals_in_all.thousandths = 2000 * REFUSALS_IN_ALL;
    /* A long INVITE goes out as it is: a phone that is called by UDP need not listen on TCP. */
    pjsip_cfg()->endpt.disable_tcp_switch = PJ_TRUE;
    pjsip_tsx_set_timers(0, 0, 0, wait_ms);
    triageline_gate_install(nat_rule);
    forget(PJSIP_H_ALLOW, methods);
    forget(PJSIP_H_SUPPORTED, options);
    pjsip_tpmgr_set_recv_data_cb(transports, &on_stream_data);
    pjsip_tpmgr_set_drop_data_cb(transports, &on_dropped_data);
    module.id = -1;
    module.prev = module.next = NULL;
    return pjsip_endpt_register_module(endpoint, &module);
}

/* Requests refused, left unanswered, of a wrong length; media packets of others. Since the last installation. */
void triageline_guard_counts(unsigned out[COUNTS]) { memcpy(out, triageline_counts, sizeof(triageline_counts)); }
