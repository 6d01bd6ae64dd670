/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel as ipctrace sees it: only structs and fields that are read, in no
 * particular layout; CO-RE finds their real offsets at load time. Written by
 * hand, so that the build needs no kernel's BTF. make check-kernels holds every
 * field against the BTF of each kernel of its list (tests/kernels/vm/btf.py).
 * Structs that only some kernels have like that are flavors (struct T___v6_15)
 * with the commit that made them necessary, mostly in bpf/compat.bpf.h.
 */
#ifndef VMLINUX_KERNEL_H
#define VMLINUX_KERNEL_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __s8 s8;
typedef __u8 u8;
typedef __s16 s16;
typedef __u16 u16;
typedef __s32 s32;
typedef __u32 u32;
typedef __s64 s64;
typedef __u64 u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u16 __sum16;
typedef _Bool bool;
typedef unsigned long size_t;
typedef int pid_t;
typedef unsigned short umode_t;
typedef unsigned int fmode_t;
typedef u32 dev_t;

enum { false = 0, true = 1 };

#define NULL ((void *)0)

/* From the user API: the map types, flags and context types that BPF code names. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_PREALLOC = 1,
	BPF_F_MMAPABLE = 1 << 10,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
	BPF_RB_RING_SIZE = 1,
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct list_head {
	struct list_head *next, *prev;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	unsigned int val;
} kuid_t;

struct ns_common {
	unsigned int inum;
};

struct xarray {
	void *xa_head;
};

struct xa_node {
	unsigned char shift;
	void *slots[64];
};

struct idr {
	struct xarray idr_rt;
	unsigned int idr_base;
};

struct ipc_ids {
	int in_use;
	struct idr ipcs_idr;
};

struct pid_namespace {
	struct idr idr;
	unsigned int level;
	struct ns_common ns;
};

struct ipc_namespace {
	struct ipc_ids ids[3]; /* semaphores, message queues, shared memory */
	struct ns_common ns;
};

struct kern_ipc_perm {
	int id;
	int key;
};

struct msg_queue {
	struct kern_ipc_perm q_perm;
	unsigned long q_cbytes, q_qnum, q_qbytes;
};

struct hlist_node {
	struct hlist_node *next;
};

struct timespec64 {
	long long tv_sec;
};

struct hlist_head {
	struct hlist_node *first;
};

struct nsproxy {
	struct ipc_namespace *ipc_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct hlist_head tasks[4]; /* by enum pid_type */
	struct upid numbers[1];
};

struct cred {
	kuid_t uid;
};

struct kernfs_node {
	u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *close_on_exec, *open_fds;
};

struct files_struct {
	atomic_t count;
	struct fdtable *fdt;
};

struct mm_struct {
	unsigned long arg_start, arg_end;
};

/* Since 6.1 (763ecb035029 and before it d4af56c5c7c6); the tree of struct rb_node until then. */
struct maple_tree {
	void *ma_root;
};

struct mm_struct___maple {
	struct maple_tree mm_mt;
};

struct maple_range_64 {
	unsigned long pivot[15];
	void *slot[16];
};

struct maple_arange_64 {
	unsigned long pivot[9];
	void *slot[10];
};

struct rb_node {
	struct rb_node *rb_right, *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

/* Until 6.0: 763ecb035029 took it out. */
struct mm_struct___rb {
	struct rb_root mm_rb;
};

struct vm_area_struct___rb {
	struct rb_node vm_rb;
};

struct vm_area_struct {
	unsigned long vm_start, vm_end;
	struct mm_struct *vm_mm;
	unsigned long vm_flags;
	unsigned long vm_pgoff;
	struct file *vm_file;
};

struct shm_file_data {
	int id;
	struct ipc_namespace *ns;
};

struct shmid_kernel {
	struct kern_ipc_perm shm_perm;
	unsigned long shm_nattch;
	unsigned long shm_segsz;
	long long shm_dtim;
	struct pid *shm_cprid;
};

struct file_lock_core {
	struct file_lock_core *flc_blocker;
	void *flc_owner;
	unsigned int flc_flags;
	unsigned char flc_type;
	pid_t flc_pid;
	struct file *flc_file;
};

struct file_lock {
	struct file_lock_core c;
	long long fl_start, fl_end;
};

/* Before 6.9 (75cabec0111b and those around it). */
struct file_lock___v6_8 {
	struct file_lock___v6_8 *fl_blocker;
	void *fl_owner;
	unsigned int fl_flags;
	unsigned char fl_type;
	unsigned int fl_pid;
	struct file *fl_file;
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct sigpending {
	struct list_head list; /* of struct sigqueue */
	sigset_t signal;
};

struct signal_struct {
	atomic_t live;
	unsigned int flags;
	struct sigpending shared_pending;
};

struct sysv_sem {
	struct sem_undo_list *undo_list;
};

struct io_uring_task {
	struct xarray xa; /* the rings that the task uses */
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	pid_t pid;
	pid_t tgid;
	int exit_code;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
	struct sigpending pending;
	struct mm_struct *mm;
	struct css_set *cgroups;
	struct sysv_sem sysvsem;
	struct io_uring_task *io_uring;
};

struct qstr {
	u32 hash;
	u32 len;
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node *next, **pprev;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
	union {
		struct hlist_node d_alias;
	} d_u;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct super_block {
	dev_t s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
	void *s_fs_info;
};

struct inode {
	umode_t i_mode;
	dev_t i_rdev;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_generation;
	long long i_size;
	void *i_private;
	struct hlist_head i_dentry;
	struct pipe_inode_info *i_pipe;
};

struct file {
	void *private_data;
	struct inode *f_inode;
	unsigned int f_flags;
	fmode_t f_mode;
	struct path f_path;
};

struct mq_attr {
	long mq_maxmsg, mq_msgsize, mq_curmsgs;
};

struct mqueue_inode_info {
	struct inode vfs_inode;
	struct mq_attr attr;
	unsigned long qsize;
};

struct ktermios {
	unsigned int c_iflag, c_oflag, c_cflag, c_lflag;
	unsigned char c_line;
};

struct tty_driver {
	int major;
};

struct tty_buffer {
	struct tty_buffer *next;
	int commit, read;
};

struct tty_bufhead {
	struct tty_buffer *head;
};

struct tty_port {
	struct tty_bufhead buf;
};

struct tty_struct {
	int index;
	struct tty_driver *driver;
	struct tty_port *port;
	struct ktermios termios;
	struct tty_struct *link;
	void *disc_data, *driver_data;
};

struct tty_file_private {
	struct tty_struct *tty;
};

struct n_tty_data {
	size_t read_head, read_tail;
};

struct pipe_buffer {
	struct page *page;
	unsigned int offset;
	unsigned int len;
};

struct mutex {
	int ipct_unused; /* only its place is of interest */
};

struct wait_queue_head {
	struct list_head head;
};

struct pipe_inode_info {
	struct mutex mutex;
	struct wait_queue_head rd_wait;
	unsigned int head;
	unsigned int tail;
	unsigned int max_usage;
	unsigned int ring_size;
	unsigned int readers;
	unsigned int writers;
	struct pipe_buffer *bufs;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sk_buff {
	struct sk_buff *next, *prev;
	struct sock *sk;
	char cb[48];
	unsigned int len, data_len;
	unsigned char *head, *data;
	__u16 transport_header, network_header;
};

struct kmem_cache {
	unsigned int object_size;
};

struct sk_buff_head {
	struct sk_buff *next, *prev;
	u32 qlen;
};

typedef struct {
	int owned;
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	struct sk_buff_head sk_receive_queue;
	int sk_rcvbuf;
	struct socket *sk_socket;
	u16 sk_type;
	u16 sk_protocol;
};

struct tcp_sock {
	u32 write_seq;
	u32 copied_seq;
	u32 snd_una;
	u32 rcv_nxt;
	u64 bytes_acked;
	u64 bytes_received;
	u32 urg_seq;
};

struct udp_sock {
	struct sk_buff_head reader_queue;
};

struct iov_iter {
	size_t count;
};

struct msghdr {
	struct iov_iter msg_iter;
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

struct sockaddr_un {
	u16 sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct sock *peer;
};

struct scm_fp_list {
	short count;
	struct file *fp[253];
};

struct unix_skb_parms {
	struct pid *pid;
	struct scm_fp_list *fp;
	u32 consumed;
};

union sigval {
	int sival_int;
	void *sival_ptr;
};

struct kernel_siginfo {
	int si_signo;
	int si_code;
};

struct sigqueue {
	struct list_head list;
	struct kernel_siginfo info;
};

struct sigaction {
	void *sa_handler;
};

struct k_sigaction {
	struct sigaction sa;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct linux_binprm {
	const char *filename;
};

struct io_cqe {
	__s32 res;
	int fd;
};

struct io_kiocb {
	struct file *file;
	u8 opcode;
	struct io_cqe cqe;
};

struct eventfd_ctx {
	u64 count;
	unsigned int flags;
	int id;
};

struct sem {
	int semval;
};

struct sem_array {
	int sem_nsems;
	struct sem sems[0];
};

struct sem_undo_list {
	struct list_head list_proc;
};

struct sem_undo {
	struct list_head list_proc;
	int semid;
};

struct io_uring_cqe {
	__s32 res;
};

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif
