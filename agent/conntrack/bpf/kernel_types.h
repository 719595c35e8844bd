/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The members of the kernel's structures that the programs read. CO-RE: their offsets are those of the running kernel,
 * from its BTF, so neither its headers nor a vmlinux.h are needed to compile. */
#pragma once

// clang-format off
#include <linux/bpf.h>  /* the other two need its types */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
// clang-format on

#define OF_KERNEL __attribute__((preserve_access_index))

struct net;

struct nsproxy {
    struct net* net_ns;
} OF_KERNEL;

struct task_struct {
    struct nsproxy* nsproxy;
} OF_KERNEL;

struct timespec64 {
    __s64 tv_sec;
} OF_KERNEL;

struct hlist_nulls_node {
    struct hlist_nulls_node *next, **pprev;
} OF_KERNEL;

struct nf_conntrack_tuple {
    char octets[0];
} OF_KERNEL;

struct nf_conntrack_tuple_hash {
    struct hlist_nulls_node hnnode;
    struct nf_conntrack_tuple tuple;
} OF_KERNEL;

struct nf_conntrack_zone {
    __u16 id;
    __u8 flags, dir;
} OF_KERNEL;

typedef struct {
    struct net* net;
} possible_net_t;

struct ip_ct_tcp {
    __u8 state;
} OF_KERNEL;

/* An enum here, too: a member that is declared as another kind of type counts as absent. */
enum sctp_conntrack { SCTP_CONNTRACK_NONE };

struct ip_ct_sctp {
    enum sctp_conntrack state;
    __be32 vtag[2];
} OF_KERNEL;

/* Until 6.17. */
struct nf_ct_dccp {
    __u8 state;
} OF_KERNEL;

union nf_conntrack_proto {
    struct nf_ct_dccp dccp;
    struct ip_ct_tcp tcp;
    struct ip_ct_sctp sctp;
} OF_KERNEL;

struct nf_ct_ext {
    __u8 offset[1];
} OF_KERNEL;

enum nf_ct_ext_id { NF_CT_EXT_HELPER, NF_CT_EXT_ACCT, NF_CT_EXT_TSTAMP, NF_CT_EXT_LABELS };

struct nf_conn {
    __u32 timeout;
    struct nf_conntrack_zone zone;
    struct nf_conntrack_tuple_hash tuplehash[2];
    unsigned long status;
    possible_net_t ct_net;
    struct nf_conn* master;
    __u32 mark;
    struct nf_ct_ext* ext;
    union nf_conntrack_proto proto;
} OF_KERNEL;
