/* SPDX-License-Identifier: GPL-2.0 */
/* The database's tables and views. Users' queries rely on the names: add, never rename. */
#ifndef EXPORT_SQLITE_SCHEMA_H
#define EXPORT_SQLITE_SCHEMA_H

/* Text is what traced programs named: bytes that may not be UTF-8. */
static const char sqlite_schema[] =
	"CREATE TABLE recording (key TEXT PRIMARY KEY, value TEXT);"
	"CREATE TABLE processes (id INTEGER PRIMARY KEY, pid INTEGER, start_ns INTEGER, ppid INTEGER,"
	" parent INTEGER REFERENCES processes, comm TEXT, exe TEXT, cmdline TEXT, uid INTEGER, cgroup "
	"INTEGER,"
	" pidns INTEGER, exit_ns INTEGER, exit_code INTEGER);"
	"CREATE TABLE channels (id INTEGER PRIMARY KEY, mech TEXT, object TEXT, first_ns INTEGER, last_ns "
	"INTEGER,"
	" messages INTEGER, bytes INTEGER, unread_bytes INTEGER, unattributed_bytes INTEGER, lost INTEGER);"
	"CREATE TABLE messages (id INTEGER PRIMARY KEY, ts_ns INTEGER, sent_ns INTEGER, mech TEXT, object "
	"TEXT,"
	" src INTEGER REFERENCES processes, src_tid INTEGER, dst INTEGER REFERENCES processes, dst_tid "
	"INTEGER,"
	" origin TEXT, bytes INTEGER, messages INTEGER, latency_ns INTEGER, wait_ns INTEGER, attr TEXT);"
	"CREATE TABLE operations (id INTEGER PRIMARY KEY, ts_ns INTEGER, enter_ns INTEGER, mech TEXT, object "
	"TEXT,"
	" op TEXT, process INTEGER REFERENCES processes, tid INTEGER, bytes INTEGER, ret INTEGER, fd "
	"INTEGER);"
	"CREATE TABLE flows (src INTEGER REFERENCES processes, dst INTEGER REFERENCES processes, mech TEXT,"
	" object TEXT, origin TEXT, messages INTEGER, bytes INTEGER, p50_ns INTEGER, p99_ns INTEGER,"
	" max_ns INTEGER, wait_ns INTEGER, attr TEXT);"
	"CREATE TABLE ends (process INTEGER REFERENCES processes, object TEXT, role TEXT, messages INTEGER,"
	" bytes INTEGER, errors INTEGER, wait_ns INTEGER);"
	"CREATE TABLE losses (mech TEXT, count INTEGER, cpu INTEGER);"
	"CREATE VIEW edges AS SELECT s.pid AS src_pid, s.comm AS src_comm, d.pid AS dst_pid, d.comm AS "
	"dst_comm,"
	" f.mech, f.object, f.origin, f.messages, f.bytes, f.p50_ns, f.p99_ns, f.max_ns, f.attr"
	" FROM flows f LEFT JOIN processes s ON s.id = f.src LEFT JOIN processes d ON d.id = f.dst;"
	"CREATE VIEW talkers AS SELECT src_pid, src_comm, dst_pid, dst_comm, sum(messages) AS messages,"
	" sum(bytes) AS bytes, group_concat(DISTINCT mech) AS mechs FROM edges"
	" GROUP BY src_pid, src_comm, dst_pid, dst_comm ORDER BY sum(bytes) DESC, sum(messages) DESC;"
	"CREATE VIEW slowest AS SELECT m.ts_ns, m.mech, m.object, s.comm AS src_comm, d.comm AS dst_comm, "
	"m.bytes,"
	" m.latency_ns FROM messages m LEFT JOIN processes s ON s.id = m.src LEFT JOIN processes d ON d.id = "
	"m.dst"
	" ORDER BY m.latency_ns DESC;"
	"CREATE VIEW waits AS SELECT p.pid, p.comm, e.object, e.role, e.wait_ns FROM ends e"
	" JOIN processes p ON p.id = e.process WHERE e.wait_ns > 0 ORDER BY e.wait_ns DESC;";

static const char sqlite_indexes[] = "CREATE INDEX messages_ts ON messages (ts_ns);"
				     "CREATE INDEX messages_object ON messages (object);"
				     "CREATE INDEX operations_ts ON operations (ts_ns);"
				     "CREATE INDEX operations_object ON operations (object);";

#endif
