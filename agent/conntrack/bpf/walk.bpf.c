/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks a part of conntrack's hash, and reports the entries that pass a filter. BPF_PROG_TEST_RUN runs it as a raw
 * tracepoint's program, within an RCU read-side section: no entry's memory is given back meanwhile, but it may become
 * another flow's (SLAB_TYPESAFE_BY_RCU). Softirqs stay on.
 *
 * The chains of a block of buckets are walked side by side, one entry of each at a time, so that the CPU waits for many
 * cache lines at once. One chain after the other, a walk takes as long as a dump.
 *
 * The rows are candidates, for each of which the caller asks conntrack: there may be too many, but never too few. */
#include "kernel_types.h"
#include "walk_match.h"

char _license[] SEC("license") = "GPL";

#define LONGEST_CHAIN 512
#define MOST_ENTRIES_OF_A_CALL 65536
#define MOST_BLOCKS_OF_A_CALL 65536
#define MOST_ATTEMPTS 8

#define OF_BLOCK(i) ((i) & (WALK_MOST_BUCKETS - 1))
#define OF_ROWS(i) ((i) & (WALK_MOST_ROWS - 1))
#define OF_TESTS(i) ((i) & (WALK_MOST_TESTS - 1))

struct node {
    __u64 next, pprev;
    struct walk_tuple tuple;
};

struct walk_request request;
struct walk_answer answer;
struct walk_place place;
__u64 network_namespace;

/* Not among the global variables, of which the skeleton has a copy. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct walk_rows);
} rows SEC(".maps");

/* The block that is being walked. */
static struct {
    __u64 heads[WALK_MOST_BUCKETS];
    __u64 at[WALK_MOST_BUCKETS]; /* the present node of each chain that has not ended yet */
    __u32 bucket[WALK_MOST_BUCKETS];
    struct node read[WALK_MOST_BUCKETS];
    __u32 first;
    __u32 chains, going_on;
    __u32 has_moved; /* a chain ended as that of another bucket: an entry on it was freed, and is another flow's now */
    __u32 attempts;
} block;

/* ---- where things are ---- */

SEC("syscall")
int find_network_namespace(void* context) {
    struct task_struct* task = (void*)bpf_get_current_task();
    network_namespace = (__u64)BPF_CORE_READ(task, nsproxy, net_ns);
    return 0;
}

static const char table_name[] = "nf_conntrack_hash";
static const char size_name[] = "nf_conntrack_htable_size";
static const char generation_name[] = "nf_conntrack_generation";

static __always_inline __u32 generation_at(__u64 address) {
    __u32 generation = 1;
    bpf_probe_read_kernel(&generation, sizeof generation, (void*)address);
    return generation;
}

SEC("syscall")
int find_table(void* context) {
    __u64 table = 0, size = 0;
    place.table = 0;
    if (bpf_kallsyms_lookup_name(table_name, sizeof table_name, 0, &table) ||
        bpf_kallsyms_lookup_name(size_name, sizeof size_name, 0, &size) ||
        bpf_kallsyms_lookup_name(generation_name, sizeof generation_name, 0, &place.generation_at))
        return 0;
    place.generation = generation_at(place.generation_at);
    bpf_probe_read_kernel(&place.table, sizeof place.table, (void*)table);
    bpf_probe_read_kernel(&place.buckets, sizeof place.buckets, (void*)size);
    if (generation_at(place.generation_at) != place.generation) place.generation = 1;
    return 0;
}

static __always_inline int is_replaced(void) {
    const struct walk_place* walked = &request.place;
    return walked->generation_at && generation_at(walked->generation_at) != walked->generation;
}

#ifdef WITH_CASTS
/* Plain loads, from 6.4 on: they take half the time, and read 0 where nothing is mapped. The type is of vmlinux, since
 * conntrack's own may be a module's, and begins with a number. */
extern void* bpf_rdonly_cast(const void* address, __u32 type) __ksym;

static __always_inline __u64 word_at(__u64 address) {
    struct timespec64* word = bpf_rdonly_cast((void*)address, bpf_core_type_id_kernel(struct timespec64));
    return word->tv_sec;
}

static __always_inline void read_node_at(__u64 address, struct node* node) {
    node->next = word_at(address);
    node->tuple.words[0] = word_at(address + 16);
    node->tuple.words[1] = word_at(address + 24);
    node->tuple.words[2] = word_at(address + 32);
    node->tuple.words[3] = word_at(address + 40);
    node->tuple.words[4] = word_at(address + 48);
}
#else
static __always_inline void read_node_at(__u64 address, struct node* node) {
    bpf_probe_read_kernel(node, sizeof *node, (void*)address);
}
#endif

/* ---- the filter ---- */

struct trial {
    const struct walk_tuple* original;
    const struct walk_row* row;
    int passed;
};

static long try_original(__u32 i, struct trial* trial) {
    trial->passed = passes_by_original(&request.filter.test[OF_TESTS(i)], trial->original);
    return trial->passed;
}

static long try_both(__u32 i, struct trial* trial) {
    trial->passed = passes_test(&request.filter.test[OF_TESTS(i)], trial->row);
    return trial->passed;
}

static __always_inline int passes_filter(const struct walk_row* row) {
    struct trial trial = {.row = row};
    if (meets_conditions(&request.filter, row)) bpf_loop(request.filter.tests, try_both, &trial, 0);
    return trial.passed;
}

/* ---- an entry ---- */

static __always_inline __u64 start_time(const struct nf_conn* entry) {
    const void* extensions = BPF_CORE_READ(entry, ext);
    __u8 offset = 0;
    __u64 start = 0;
    if (!extensions || !bpf_core_enum_value_exists(enum nf_ct_ext_id, NF_CT_EXT_TSTAMP)) return 0;
    bpf_probe_read_kernel(&offset, sizeof offset,
                          extensions + bpf_core_field_offset(struct nf_ct_ext, offset) +
                              bpf_core_enum_value(enum nf_ct_ext_id, NF_CT_EXT_TSTAMP));
    if (offset) bpf_probe_read_kernel(&start, sizeof start, extensions + offset);
    return start;
}

/* Reports the entry at a node if it is of the namespace, and passes the filter or is a sample. */
static __noinline int look_at(__u32 i) {
    const struct nf_conn* entry = (void*)block.at[OF_BLOCK(i)] - bpf_core_field_offset(struct nf_conn, tuplehash);
    __u32 only = 0;
    struct walk_rows* all = bpf_map_lookup_elem(&rows, &only);
    struct walk_row* row;
    if (!all || (__u64)BPF_CORE_READ(entry, ct_net.net) != request.network_namespace) return 0;
    row = &all->row[OF_ROWS(answer.rows)];
    row->original = block.read[OF_BLOCK(i)].tuple;
    bpf_core_read(&row->reply, sizeof row->reply, &entry->tuplehash[1].tuple);
    row->started = start_time(entry);
    row->status = BPF_CORE_READ(entry, status);
    row->mark = bpf_core_field_exists(entry->mark) ? BPF_CORE_READ(entry, mark) : 0;
    row->zone = bpf_core_field_exists(entry->zone) ? BPF_CORE_READ(entry, zone.id) : 0;
    row->zone_directions = bpf_core_field_exists(entry->zone) ? BPF_CORE_READ(entry, zone.dir) : 3;
    row->tcp_state = BPF_CORE_READ(entry, proto.tcp.state);
    row->sctp_state = BPF_CORE_READ(entry, proto.sctp.state);
    row->is_candidate = passes_filter(row);
    if (!row->is_candidate) {
        if (answer.others >= request.samples) return 0;
        answer.others++;
    }
    answer.rows++;
    return 0;
}

/* ---- the walk ---- */

static long begin_chain(__u32 i, void* unused) {
    __u64 head = block.heads[OF_BLOCK(i)];
    __u32 chain = block.chains;
    if (head & 1) {
        block.has_moved |= head >> 1 != block.first + i;
        return 0;
    }
    block.at[OF_BLOCK(chain)] = head;
    block.bucket[OF_BLOCK(chain)] = block.first + i;
    block.chains = chain + 1;
    return 0;
}

/* Apart from take_node(), so that no read waits for an earlier one. */
static long read_node(__u32 i, void* unused) {
    read_node_at(block.at[OF_BLOCK(i)], &block.read[OF_BLOCK(i)]);
    return 0;
}

static long take_node(__u32 i, void* unused) {
    const struct node* node = &block.read[OF_BLOCK(i)];
    __u32 chain = block.going_on, bucket = block.bucket[OF_BLOCK(i)];
    __u64 next = node->next;
    if (!walk_is_reply(&node->tuple)) {
        struct trial trial = {.original = &node->tuple};
        bpf_loop(request.filter.tests, try_original, &trial, 0);
        if (trial.passed || answer.others < request.samples) look_at(i);
    }
    if (next & 1) {
        block.has_moved |= next >> 1 != bucket;
        return 0;
    }
    block.at[OF_BLOCK(chain)] = next;
    block.bucket[OF_BLOCK(chain)] = bucket;
    block.going_on = chain + 1;
    return 0;
}

/* For what one more round may report. */
static __always_inline int has_room(void) {
    return answer.rows < WALK_MOST_ROWS - WALK_MOST_BUCKETS && answer.entries < MOST_ENTRIES_OF_A_CALL;
}

static long next_round(__u32 round, void* unused) {
    if (!block.chains || !has_room()) return 1;
    answer.entries += block.chains;
    block.going_on = 0;
    bpf_loop(block.chains, read_node, 0, 0);
    bpf_loop(block.chains, take_node, 0, 0);
    block.chains = block.going_on;
    return 0;
}

static long next_block(__u32 i, void* unused) {
    __u32 rows_before = answer.rows, others_before = answer.others, left = request.place.buckets - answer.next, size;
    /* An empty bucket takes a sixteenth of an entry's time. */
    if (!left || answer.entries + (answer.next - request.next) / 16 >= request.budget) return 1;
    block.first = answer.next;
    block.chains = block.has_moved = 0;
    size = left < request.block ? left : request.block;
    if (size > WALK_MOST_BUCKETS) return 1;
    if (bpf_probe_read_kernel(block.heads, size * sizeof block.heads[0],
                              (void*)(request.place.table + 8ull * block.first))) {
        answer.status = WALK_REPLACED;
        return 1;
    }
    bpf_loop(size, begin_chain, 0, 0);
    bpf_loop(LONGEST_CHAIN, next_round, 0, 0);
    if (!block.chains && !block.has_moved) {
        answer.next += size;
        block.attempts = 0;
        return 0;
    }
    answer.rows = rows_before;
    answer.others = others_before;
    if (block.chains) {
        if (block.first == request.next) answer.status = WALK_TOO_MANY;
        return 1;
    }
    if (++block.attempts < MOST_ATTEMPTS) return 0;
    answer.status = WALK_UNSTEADY;
    return 1;
}

SEC("raw_tp/conntrack") /* it is never attached, so the name means nothing */
int walk(void* context) {
    answer.status = WALK_PROGRESS;
    answer.next = request.next;
    answer.rows = answer.others = 0;
    answer.entries = 0;
    block.attempts = 0;
    if (!is_replaced()) bpf_loop(MOST_BLOCKS_OF_A_CALL, next_block, 0, 0);
    if (is_replaced()) answer.status = WALK_REPLACED;
    return 0;
}
