/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks a part of conntrack's hash, and reports the entries that pass a filter. BPF_PROG_TEST_RUN runs it as a raw
 * tracepoint's program, within an RCU read-side section: no entry's memory is given back meanwhile, but it may become
 * another flow's (SLAB_TYPESAFE_BY_RCU). Softirqs stay on.
 *
 * The chains of a block of buckets are walked side by side, one entry of each at a time, so that the CPU waits for many
 * cache lines at once. One chain after the other, a walk takes as long as a dump.
 *
 * The rows are candidates: there may be too many, but never too few. Each has what one entry had at one time. */
#include "kernel_memory.h"
#include "walk_match.h"

char _license[] SEC("license") = "GPL";

#define LONGEST_CHAIN 512
#define MOST_ENTRIES_OF_A_CALL 65536
#define MOST_BLOCKS_OF_A_CALL 65536
#define MOST_ATTEMPTS 8

#define OF_BLOCK(i) ((i) & (WALK_MOST_BUCKETS - 1))
#define OF_ROWS(i) ((i) & (WALK_MOST_ROWS - 1))
#define OF_TESTS(i) ((i) & (WALK_MOST_TESTS - 1))
#define OF_SEEDS(i) ((i) & (WALK_MOST_SEEDS - 1))

struct walk_request request;
struct walk_answer answer;
struct walk_place place;
struct walk_seeds seeds;
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
    struct {
        __u32 node; /* that was read */
        __u64 entry, extensions;
    } found[WALK_MOST_BUCKETS]; /* to report */
    __u32 first, now;
    __u32 chains, going_on, finds;
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

/* ---- the seed of ids ---- */

static const char id_name[] = "nf_ct_get_id";

/* The function's code is a few hundred octets long. */
#define LONGEST_CODE 512

/* The seed is a static variable without a symbol in kernels that have symbols of functions alone, but the function
 * passes its address on (nf_conntrack_core.c, nf_ct_get_id). Here are the two instructions of x86-64 that load one:
 * LEA, relative to the next instruction, and MOV. */
static long follow_address(__u32 i, __u64* code) {
    __u64 at = *code + i, instruction = 0, address;
    __u32 count = seeds.count;
    bpf_probe_read_kernel(&instruction, sizeof instruction, (void*)at);
    address = (__u64)(__s64)(__s32)(instruction >> 24);
    if ((instruction & 0xC7FFF8) == 0x058D48)
        address += at + 7;
    else if ((instruction & 0xF8FFF8) != 0xC0C748)
        return 0;
    if (count >= WALK_MOST_SEEDS) return 1;
    if (!bpf_probe_read_kernel(&seeds.seed[OF_SEEDS(count)], sizeof seeds.seed[0], (void*)address)) seeds.count++;
    return 0;
}

SEC("syscall")
int find_seeds(void* context) {
    __u64 code = 0;
    seeds.count = 0;
    if (!bpf_kallsyms_lookup_name(id_name, sizeof id_name, 0, &code)) bpf_loop(LONGEST_CODE, follow_address, &code, 0);
    return 0;
}

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

/* What the filter needs. */
static __always_inline void read_judged(struct walk_row* row, __u64 extensions) {
    __u64 entry = row->entry;
    read_tuple_at(entry + bpf_core_field_offset(struct nf_conn, tuplehash[1].tuple), &row->reply);
    row->started = start_time(extensions);
    row->parts = 0;
    row->mark = 0;
    if (HAS_MEMBER(mark)) {
        row->parts |= WALK_HAS_MARK;
        row->mark = MEMBER(entry, mark);
    }
    if (HAS_MEMBER(proto.dccp)) {
        row->parts |= WALK_HAS_DCCP_STATE;
        row->dccp_state = MEMBER(entry, proto.dccp.state);
    }
    row->zone = HAS_MEMBER(zone) ? MEMBER(entry, zone.id) : 0;
    row->zone_directions = HAS_MEMBER(zone) ? MEMBER(entry, zone.dir) : 3;
    row->tcp_state = MEMBER(entry, proto.tcp.state);
    row->sctp_state = MEMBER(entry, proto.sctp.state);
}

static __always_inline void read_others(struct walk_row* row, __u64 extensions) {
    __u64 entry = row->entry, counters = EXTENSION(extensions, NF_CT_EXT_ACCT);
    row->master = (__u64)MEMBER(entry, master);
    row->sctp_tags[0] = MEMBER(entry, proto.sctp.vtag[0]);
    row->sctp_tags[1] = MEMBER(entry, proto.sctp.vtag[1]);
    if (counters) {
        row->parts |= WALK_HAS_COUNTERS;
        row->counters[0] = word_at(counters);
        row->counters[1] = word_at(counters + 8);
        row->counters[2] = word_at(counters + 16);
        row->counters[3] = word_at(counters + 24);
    }
    if (EXTENSION(extensions, NF_CT_EXT_HELPER) || EXTENSION(extensions, NF_CT_EXT_LABELS))
        row->parts |= WALK_LACKS_EXTENSIONS;
}

/* Confirmed, and not dying: the entry is in the table. */
static __always_inline int is_alive(__u32 status) {
    return (status & (WALK_CONFIRMED | WALK_DYING)) == WALK_CONFIRMED;
}

static __always_inline int is_same(const struct walk_tuple* tuple, __u64 address) {
    struct walk_tuple now;
    read_tuple_at(address, &now);
    return !((now.words[0] ^ tuple->words[0]) | (now.words[1] ^ tuple->words[1]) | (now.words[2] ^ tuple->words[2]) |
             (now.words[3] ^ tuple->words[3]) | (now.words[4] ^ tuple->words[4]));
}

/* Reads again, after all else, what identifies the flow. If it is the same, the memory was this flow's all the time: an
 * entry is dying before its memory is given back (nf_conntrack_core.c, nf_ct_delete), and a later flow began later. */
static __always_inline int is_still(const struct walk_row* row, __u64 extensions) {
    __u64 entry = row->entry;
    return walk_is_reply(&row->reply) &&
           is_same(&row->original, entry + bpf_core_field_offset(struct nf_conn, tuplehash[0].tuple)) &&
           is_same(&row->reply, entry + bpf_core_field_offset(struct nf_conn, tuplehash[1].tuple)) &&
           (__u64)MEMBER(entry, ext) == extensions && start_time(extensions) == row->started &&
           (__u64)MEMBER(entry, master) == row->master && is_alive(MEMBER(entry, status)) &&
           (__u64)MEMBER(entry, ct_net.net) == request.network_namespace;
}

static volatile __u64 touched;

/* These are apart from report(), so that no read waits for an earlier one. */
static long touch_entry(__u32 i, void* unused) {
    __u64 entry = block.found[OF_BLOCK(i)].entry;
    touched = (__u64)MEMBER(entry, status) + (__u64)MEMBER(entry, proto.tcp.state);
    block.found[OF_BLOCK(i)].extensions = (__u64)MEMBER(entry, ext);
    return 0;
}

static long touch_extensions(__u32 i, void* unused) {
    __u64 extensions = block.found[OF_BLOCK(i)].extensions;
    touched = word_at(extensions) + word_at(extensions + 64);
    return 0;
}

/* Reports an entry if it is of the namespace, and passes the filter or is a sample. */
static long report(__u32 i, void* unused) {
    __u64 entry = block.found[OF_BLOCK(i)].entry, extensions = block.found[OF_BLOCK(i)].extensions;
    __u32 only = 0;
    struct walk_rows* all = bpf_map_lookup_elem(&rows, &only);
    struct walk_row* row;
    if (!all || (__u64)MEMBER(entry, ct_net.net) != request.network_namespace) return 0;
    row = &all->row[OF_ROWS(answer.rows)];
    row->original = block.read[OF_BLOCK(block.found[OF_BLOCK(i)].node)].tuple;
    row->entry = entry;
    row->status = MEMBER(entry, status);
    row->ticks_left = MEMBER(entry, timeout) - block.now;
    if (!is_alive(row->status) || (__s32)row->ticks_left <= 0) return 0; /* as in a dump */
    read_judged(row, extensions);
    row->is_candidate = passes_filter(row);
    if (!row->is_candidate && answer.others >= request.samples) return 0;
    read_others(row, extensions);
    if (!is_still(row, extensions)) return 0;
    if (!row->is_candidate) answer.others++;
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
    struct node* node = &block.read[OF_BLOCK(i)];
    node->address = block.at[OF_BLOCK(i)];
    read_node_at(node->address, node);
    return 0;
}

static long take_node(__u32 i, void* unused) {
    const struct node* node = &block.read[OF_BLOCK(i)];
    __u32 chain = block.going_on, finds = block.finds, bucket = block.bucket[OF_BLOCK(i)];
    __u64 next = node->next;
    if (!walk_is_reply(&node->tuple)) {
        struct trial trial = {.original = &node->tuple};
        bpf_loop(request.filter.tests, try_original, &trial, 0);
        if (trial.passed || answer.others < request.samples) {
            block.found[OF_BLOCK(finds)].node = i;
            block.found[OF_BLOCK(finds)].entry = node->address - bpf_core_field_offset(struct nf_conn, tuplehash);
            block.finds = finds + 1;
        }
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
    block.going_on = block.finds = 0;
    bpf_loop(block.chains, read_node, 0, 0);
    bpf_loop(block.chains, take_node, 0, 0);
    bpf_loop(block.finds, touch_entry, 0, 0);
    bpf_loop(block.finds, touch_extensions, 0, 0);
    bpf_loop(block.finds, report, 0, 0);
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
    block.now = bpf_jiffies64();
    if (!is_replaced()) bpf_loop(MOST_BLOCKS_OF_A_CALL, next_block, 0, 0);
    if (is_replaced()) answer.status = WALK_REPLACED;
    return 0;
}
