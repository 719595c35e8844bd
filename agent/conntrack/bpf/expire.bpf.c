/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ends flows by letting them expire, each only if it is the one that was found. A reference is held from before the
 * look at its identity until its end, so that no other flow takes its place meanwhile.
 *
 * bpf_ct_change_timeout(entry, 0) lets an entry expire; the next look-up of its tuple removes it (nf_conntrack_core.c,
 * nf_ct_gc_expired). The DESTROY event then has port 0, as of flows that end by themselves.
 *
 * BPF_PROG_TEST_RUN runs it as many times as there are flows (bpf_attr.test.repeat). */
#include "expire_memory.h"
#include "find_entry.h"
#include "kernel_memory.h"

char _license[] SEC("license") = "GPL";

/* include/uapi/linux/netfilter/nf_conntrack_common.h, asm-generic/errno-base.h */
#define SEEN_REPLY (1 << 1)
#define DYING (1 << 9)
#define OFFLOAD (1 << 14)
#define ENOENT 2
#define ETIME 62

/* A packet that is just passing may prolong the entry's life in between. */
#define MOST_ATTEMPTS 2

extern int bpf_ct_change_timeout(struct nf_conn*, __u32) __ksym;

struct expire_request request;

static __always_inline __u32 status_of(__u64 entry) {
    return MEMBER(entry, status);
}

static __always_inline __u32 mark_of(__u64 entry) {
    return HAS_MEMBER(mark) ? MEMBER(entry, mark) : 0;
}

/* All that a query can ask for and that can change, but for counters and age, which only grow. */
static __always_inline int has_changed(__u64 entry, const struct expire_flow* flow) {
    return (status_of(entry) ^ flow->status) & (SEEN_REPLY | OFFLOAD) || mark_of(entry) != flow->mark ||
           (flow->key.protocol == 6 && MEMBER(entry, proto.tcp.state) != flow->tcp_state);
}

static __always_inline void report_end(__u64 entry, __u64 extensions, struct expire_flow* flow) {
    const __u64 counters = EXTENSION(extensions, NF_CT_EXT_ACCT);
    flow->status = status_of(entry);
    flow->mark = mark_of(entry);
    flow->tcp_state = MEMBER(entry, proto.tcp.state);
    flow->stopped = stop_time(extensions);
    flow->has_counters = counters != 0;
    if (counters) bpf_probe_read_kernel(flow->counters, sizeof flow->counters, (void*)counters);
}

static __always_inline enum expire_outcome expire_entry(struct __sk_buff* packet, struct nf_conn* held,
                                                        struct expire_flow* flow) {
    const __u64 entry = (__u64)held, extensions = (__u64)MEMBER(entry, ext);
    int attempt, error;
    if (start_time(extensions) != flow->started || status_of(entry) & DYING) return EXPIRE_GONE;
    if (has_changed(entry, flow)) return EXPIRE_CHANGED;
    for (attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        struct nf_conn* found;
        error = bpf_ct_change_timeout(held, 0);
        if (error == -ETIME && !attempt) return EXPIRE_GONE; /* another program was first */
        if (error && error != -ETIME) return EXPIRE_REFUSED;
        found = find_entry(packet, &flow->key, &error);
        if (found) bpf_ct_release(found);
        if (status_of(entry) & DYING) {
            report_end(entry, extensions, flow);
            return EXPIRE_ENDED;
        }
    }
    return EXPIRE_REFUSED;
}

SEC("tc")
int expire(struct __sk_buff* packet) {
    struct expire_flow* flow = &request.flow[request.next & (EXPIRE_MOST_FLOWS - 1)];
    struct nf_conn* entry;
    int error;
    if (request.next >= request.flows) return 0;
    request.next++;
    entry = find_entry(packet, &flow->key, &error);
    if (!entry) {
        flow->outcome = error == ENOENT ? EXPIRE_GONE : EXPIRE_REFUSED;
        return 0;
    }
    flow->outcome = expire_entry(packet, entry, flow);
    bpf_ct_release(entry);
    return 0;
}
