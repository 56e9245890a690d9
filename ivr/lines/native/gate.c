/* The gate on every call's media: it lets RTP and RTCP through only from the address in the SDP, or, where nothing came
 * from there (NAT), from the first source that is allowed and sends a run of valid packets; then it stays shut.
 *
 * It lies over the library's own transport and over SRTP, so what it lets in was authentic where SRTP is used.
 *
 * Licence: GPL-3.0-or-later, like the library it is linked into.
 */
#include "guard.h"

#define RUN 5           /* valid packets in a row that make a source behind a NAT known */
#define BIGGEST_STEP 50 /* packets that may be lost in such a run */

static int nat;

struct gate {
    pjmedia_transport base;
    pj_pool_t *pool;
    pjmedia_transport *below;
    pj_sockaddr signalling;             /* who sent the INVITE; no address for calls of ours */
    pj_sockaddr said, found, candidate; /* from the SDP; a source behind a NAT; one that may become it */
    pj_bool_t heard, latched;
    unsigned run;
    pj_uint32_t ssrc;
    pj_uint16_t number;
    void *user;
    void (*rtp)(void *, void *, pj_ssize_t);
    void (*rtp2)(pjmedia_tp_cb_param *);
    void (*rtcp)(void *, void *, pj_ssize_t);
};

static pj_bool_t same_host(const pj_sockaddr *one, const pj_sockaddr *other)
{
    host_t a, b;
    if (!pj_sockaddr_has_addr(one) || !pj_sockaddr_has_addr(other)) return PJ_FALSE;
    triageline_host_of(one, a);
    triageline_host_of(other, b);
    return memcmp(a, b, 16) == 0;
}

static pj_bool_t is_loopback(const pj_sockaddr *address)
{
    static const pj_uint8_t six[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    host_t host;
    if (!pj_sockaddr_has_addr(address)) return PJ_FALSE;
    triageline_host_of(address, host);
    return memcmp(host, six, 16) == 0 || (address->addr.sa_family == pj_AF_INET() && host[12] == 127);
}

/* A phone on this machine names its network address in the SDP and yet sends over the loopback interface, where nothing
 * comes from elsewhere. */
static pj_bool_t may_become(const struct gate *gate, const pj_sockaddr *source)
{
    if (nat == NAT_HOST)
        return same_host(source, &gate->said) || same_host(source, &gate->signalling) ||
               (is_loopback(source) && !is_loopback(&gate->said));
    return nat == NAT_ANY;
}

/* Whether this source has now sent a run of packets of one stream (RFC 3550 section 5.1). */
static pj_bool_t run_is_complete(struct gate *gate, const pj_sockaddr *source, const pjmedia_rtp_hdr *packet)
{
    pj_uint16_t number = pj_ntohs(packet->seq), step = (pj_uint16_t)(number - gate->number);
    pj_bool_t goes_on = gate->run && pj_sockaddr_cmp(source, &gate->candidate) == 0 && packet->ssrc == gate->ssrc &&
                        step > 0 && step < BIGGEST_STEP;
    gate->run = goes_on ? gate->run + 1 : 1;
    gate->ssrc = packet->ssrc;
    gate->number = number;
    pj_sockaddr_cp(&gate->candidate, source);
    return gate->run >= RUN;
}

static pj_bool_t lets_in(struct gate *gate, const pjmedia_tp_cb_param *param)
{
    if (pj_sockaddr_cmp(param->src_addr, &gate->said) == 0) {
        gate->heard = PJ_TRUE;
        return PJ_TRUE;
    }
    if (gate->heard) return PJ_FALSE;
    if (gate->latched) return pj_sockaddr_cmp(param->src_addr, &gate->found) == 0;
    if (!may_become(gate, param->src_addr) || param->size < (pj_ssize_t)sizeof(pjmedia_rtp_hdr) ||
        (*(const pj_uint8_t *)param->pkt & 0xC0) != 0x80 || !run_is_complete(gate, param->src_addr, param->pkt))
        return PJ_FALSE;
    pj_sockaddr_cp(&gate->found, param->src_addr);
    return gate->latched = PJ_TRUE;
}

static void on_rtp(pjmedia_tp_cb_param *param)
{
    struct gate *gate = param->user_data;
    pjmedia_tp_cb_param ours = *param;
    pj_bool_t in = PJ_TRUE;
    if (!gate) return;
    if (param->size > 0 && param->src_addr) {
        pj_grp_lock_acquire(gate->base.grp_lock);
        in = lets_in(gate, param);
        pj_grp_lock_release(gate->base.grp_lock);
    }
    ours.user_data = gate->user;
    if (!in) ++triageline_counts[STRAY_MEDIA];
    else if (gate->rtp2) (*gate->rtp2)(&ours);
    else if (gate->rtp) (*gate->rtp)(ours.user_data, ours.pkt, ours.size);
    param->rem_switch = in && ours.rem_switch;
}

static void on_rtcp(void *user, void *packet, pj_ssize_t size)
{
    struct gate *gate = user;
    pjmedia_transport_info info;
    const pj_sockaddr *theirs;
    if (!gate) return;
    pjmedia_transport_info_init(&info);
    pjmedia_transport_get_info(gate->below, &info);
    theirs = gate->latched && !gate->heard ? &gate->found : &gate->said;
    if (size > 0 && !same_host(&info.src_rtcp_name, theirs)) ++triageline_counts[STRAY_MEDIA];
    else if (gate->rtcp) (*gate->rtcp)(gate->user, packet, size);
}

static pj_status_t gate_attach(pjmedia_transport *tp, pjmedia_transport_attach_param *param)
{
    struct gate *gate = (struct gate *)tp;
    pj_grp_lock_acquire(tp->grp_lock);
    gate->user = param->user_data;
    gate->rtp = param->rtp_cb;
    gate->rtp2 = param->rtp_cb2;
    gate->rtcp = param->rtcp_cb;
    if (pj_sockaddr_cmp(&gate->said, &param->rem_addr)) {
        pj_sockaddr_cp(&gate->said, &param->rem_addr);
        gate->heard = gate->latched = PJ_FALSE;
        gate->run = 0;
    }
    pj_grp_lock_release(tp->grp_lock);
    param->user_data = gate;
    param->rtp_cb = NULL;
    param->rtp_cb2 = &on_rtp;
    param->rtcp_cb = &on_rtcp;
    return pjmedia_transport_attach2(gate->below, param);
}

static void gate_detach(pjmedia_transport *tp, void *user)
{
    struct gate *gate = (struct gate *)tp;
    PJ_UNUSED_ARG(user);
    pjmedia_transport_detach(gate->below, gate);
    pj_grp_lock_acquire(tp->grp_lock);
    gate->rtp = NULL;
    gate->rtp2 = NULL;
    gate->rtcp = NULL;
    gate->user = NULL;
    pj_grp_lock_release(tp->grp_lock);
}

#define BELOW (((struct gate *)tp)->below)
typedef const pjmedia_sdp_session sdp_t;

static pj_status_t gate_info(pjmedia_transport *tp, pjmedia_transport_info *info)
{
    return pjmedia_transport_get_info(BELOW, info);
}
static pj_status_t gate_rtp(pjmedia_transport *tp, const void *packet, pj_size_t size)
{
    return pjmedia_transport_send_rtp(BELOW, packet, size);
}
static pj_status_t gate_rtcp(pjmedia_transport *tp, const void *packet, pj_size_t size)
{
    return pjmedia_transport_send_rtcp(BELOW, packet, size);
}
static pj_status_t gate_rtcp2(pjmedia_transport *tp, const pj_sockaddr_t *to, unsigned length, const void *packet,
                              pj_size_t size)
{
    return pjmedia_transport_send_rtcp2(BELOW, to, length, packet, size);
}
static pj_status_t gate_create(pjmedia_transport *tp, pj_pool_t *pool, unsigned options, sdp_t *theirs, unsigned place)
{
    return pjmedia_transport_media_create(BELOW, pool, options, theirs, place);
}
static pj_status_t gate_encode(pjmedia_transport *tp, pj_pool_t *pool, pjmedia_sdp_session *ours, sdp_t *theirs,
                               unsigned place)
{
    return pjmedia_transport_encode_sdp(BELOW, pool, ours, theirs, place);
}
static pj_status_t gate_start(pjmedia_transport *tp, pj_pool_t *pool, sdp_t *ours, sdp_t *theirs, unsigned place)
{
    return pjmedia_transport_media_start(BELOW, pool, ours, theirs, place);
}
static pj_status_t gate_stop(pjmedia_transport *tp) { return pjmedia_transport_media_stop(BELOW); }
static pj_status_t gate_lose(pjmedia_transport *tp, pjmedia_dir way, unsigned percent)
{
    return pjmedia_transport_simulate_lost(BELOW, way, percent);
}
static void gate_gone(void *gate) { pj_pool_release(((struct gate *)gate)->pool); }
static pj_status_t gate_destroy(pjmedia_transport *tp)
{
    pj_grp_lock_t *lock = tp->grp_lock;
    pjmedia_transport_close(BELOW);
    pj_grp_lock_dec_ref(lock);
    return PJ_SUCCESS;
}

static pjmedia_transport_op gate_op = {
    &gate_info, NULL, &gate_detach, &gate_rtp, &gate_rtcp, &gate_rtcp2, &gate_create, &gate_encode, &gate_start,
    &gate_stop, &gate_lose, &gate_destroy, &gate_attach,
};

static pjmedia_transport *(*next_hook)(pjsua_call_id, unsigned, pjmedia_transport *, unsigned);

static pjmedia_transport *on_media_transport(pjsua_call_id call, unsigned place, pjmedia_transport *below,
                                             unsigned flags)
{
    pjsip_rx_data *invite = pjsua_var.calls[call].incoming_data;
    pj_sockaddr signalling;
    pj_pool_t *pool;
    struct gate *gate;
    pj_bzero(&signalling, sizeof(signalling));
    if (invite) pj_sockaddr_cp(&signalling, &invite->pkt_info.src_addr);
    if (next_hook) below = (*next_hook)(call, place, below, flags);
    if (!below || !below->grp_lock || !(pool = pjsua_pool_create("gate%p", 1000, 500))) return below;
    gate = PJ_POOL_ZALLOC_T(pool, struct gate);
    gate->pool = pool;
    gate->below = below;
    gate->signalling = signalling;
    pj_ansi_strxcpy(gate->base.name, pool->obj_name, sizeof(gate->base.name));
    gate->base.type = (pjmedia_transport_type)(PJMEDIA_TRANSPORT_TYPE_USER + 1);
    gate->base.op = &gate_op;
    gate->base.grp_lock = below->grp_lock;
    pj_grp_lock_add_ref(below->grp_lock);
    pj_grp_lock_add_handler(below->grp_lock, pool, gate, &gate_gone);
    return &gate->base;
}

void triageline_gate_install(int nat_rule)
{
    nat = nat_rule;
    next_hook = pjsua_var.ua_cfg.cb.on_create_media_transport;
    pjsua_var.ua_cfg.cb.on_create_media_transport = &on_media_transport;
}
