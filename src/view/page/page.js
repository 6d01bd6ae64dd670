// SPDX-License-Identifier: GPL-2.0
// The page: data of a graph as ipctrace wrote it, drawn by cytoscape.js. Names of traced programs are hostile: they reach the
// page as text nodes and as cytoscape's data only, never as markup.
"use strict";

(() => {
const $ = (id) => document.getElementById(id);
let data = JSON.parse($("data").textContent);
const MANY = 1500; // nodes above which lines are drawn the cheap way
const FORCES = 600; // nodes above which groups start collapsed, and forces take too long
const RED = "#d62728", GREY = "#999999";
const state = { collapsed: new Set(), mechs: new Map(), slice: 0, dark: matchMedia("(prefers-color-scheme: dark)").matches };

// ---- numbers for people ----

function bytes(n) {
	const units = ["B", "KB", "MB", "GB", "TB"];
	let i = 0;
	for (; n >= 10000 && i < units.length - 1; i++) n /= 1024;
	return (i ? n.toPrecision(3) : String(n)) + units[i];
}

function duration(ns) {
	for (const [size, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "us"]])
		if (ns >= size) return (ns / size).toPrecision(3) + unit;
	return ns + "ns";
}

const plural = (n, noun) => n + " " + noun + (n === 1 ? "" : "s");

// ---- what is drawn: the data, less what is collapsed ----

const isTraffic = (d) => d.kind === "end" || d.kind === "flow";

function numbersOf(edge, index) {
	if (!state.slice || !isTraffic(edge)) return edge;
	const s = data.slices[state.slice - 1].links[index];
	return { ...edge, messages: s ? s[0] : 0, bytes: s ? s[1] : 0, hist: undefined, p50_ns: undefined,
		 p99_ns: undefined, max_ns: undefined, wait_ns: undefined, quiet: !s };
}

function edgeLabel(d) {
	if (d.kind === "parent") return "";
	if (d.kind === "share") return d.channel + "\n" + d.source_mode + ", " + d.target_mode;
	const parts = [d.kind === "flow" ? (d.count > 1 ? plural(d.count, "line") : d.channel) : ""];
	if (!d.messages && !d.bytes && d.role) parts.push(d.role);
	else parts.push(plural(d.messages, "message") + (d.bytes ? ", " + bytes(d.bytes) : ""));
	if (d.p99_ns) parts.push("p99 " + duration(d.p99_ns));
	return parts.filter((p) => p).join("\n");
}

function decorate(d) {
	const style = data.styles[d.mech];
	d.colour = d.waits ? RED : style ? style.colour : GREY;
	d.width = 1 + Math.log2(1 + (d.bytes || 0)) / 8;
	d.text = edgeLabel(d);
	return d;
}

function nodeElement(d) {
	const style = d.kind === "channel" && data.styles[d.mech];
	const copy = { ...d, shape: style ? style.shape : d.kind === "process" ? "round-rectangle" : "rectangle",
		       colour: style ? style.colour : d.exited ? GREY : "#555555" };
	copy.text = d.label + (d.kind === "process" ? "\n" + d.pid : "");
	if (state.collapsed.has(d.id)) {
		copy.text = d.label + "\n" + plural(data.nodes.filter((n) => n.data.parent === d.id).length, "node");
		copy.closed = true;
	}
	const lines = copy.text.split("\n");
	copy.wide = Math.min(180, 16 + 6 * Math.max(...lines.map((l) => l.length)));
	copy.high = 10 + 12 * lines.reduce((sum, l) => sum + Math.ceil((l.length || 1) / 27), 0);
	return { group: "nodes", data: copy };
}

function merge(into, d) {
	into.count++;
	for (const key of ["messages", "bytes", "errors", "wait_ns"]) into[key] = (into[key] || 0) + (d[key] || 0);
	for (const key of ["p50_ns", "p99_ns", "max_ns"]) into[key] = Math.max(into[key] || 0, d[key] || 0);
	into.waits = into.waits || d.waits;
	into.doubt = into.doubt || d.doubt;
	into.quiet = into.quiet && d.quiet;
	const hist = new Map(into.hist || []);
	for (const [at, n] of d.hist || []) hist.set(at, (hist.get(at) || 0) + n);
	into.hist = [...hist].sort((a, b) => a[0] - b[0]);
}

function elements() {
	const shownAs = new Map(), edges = new Map(), out = [];
	for (const { data: d } of data.nodes) {
		const inside = d.parent && state.collapsed.has(d.parent);
		shownAs.set(d.id, inside ? d.parent : d.id);
		if (!inside) out.push(nodeElement(d));
	}
	data.edges.forEach(({ data: raw }, index) => {
		const d = { ...numbersOf(raw, index), source: shownAs.get(raw.source), target: shownAs.get(raw.target), count: 1 };
		const moved = d.source !== raw.source || d.target !== raw.target;
		if (moved && (d.source === d.target || d.kind === "parent")) return;
		if (moved) d.id = "sum:" + d.kind + ":" + d.mech + ":" + d.source + "->" + d.target;
		if (moved && edges.has(d.id)) merge(edges.get(d.id), d);
		else edges.set(d.id, d);
	});
	for (const d of edges.values()) out.push({ group: "edges", data: decorate(d) });
	return out;
}

// ---- drawing ----

function stylesheet() {
	const fore = state.dark ? "#e4e6ea" : "#222222", back = state.dark ? "#16181c" : "#ffffff";
	return [
		{ selector: "node", style: { label: "data(text)", shape: "data(shape)", "background-color": back, color: fore,
			"border-width": 1.5, "border-color": "data(colour)", "text-wrap": "wrap", "text-valign": "center",
			"text-max-width": 160, "font-size": 10, width: "data(wide)", height: "data(high)",
			"text-overflow-wrap": "anywhere", "min-zoomed-font-size": 4 } },
		{ selector: "node[members > 1]", style: { "border-style": "double", "border-width": 4 } },
		{ selector: "node[?bystander]", style: { "border-style": "dashed" } },
		{ selector: ":parent", style: { "background-color": state.dark ? "#22252b" : "#f6f6f6", "border-color": GREY,
			"text-valign": "top", shape: "round-rectangle" } },
		{ selector: "node[?closed]", style: { "border-style": "double", "border-width": 4, "font-weight": "bold" } },
		{ selector: "edge", style: { label: "data(text)", width: "data(width)", "line-color": "data(colour)", color: "data(colour)",
			"target-arrow-color": "data(colour)", "target-arrow-shape": "triangle", "font-size": 9, "text-wrap": "wrap",
			"curve-style": data.nodes.length > MANY ? "haystack" : "bezier", "text-background-color": back,
			"text-background-opacity": 0.8, "min-zoomed-font-size": 6, "control-point-step-size": 60 } },
		{ selector: "edge[?doubt]", style: { "line-style": "dashed" } },
		{ selector: "edge[kind = 'share']", style: { "target-arrow-shape": "none" } },
		{ selector: "edge[kind = 'parent']", style: { "line-style": "dotted", "line-color": "#bbbbbb",
			"target-arrow-shape": "none", width: 1 } },
		{ selector: ".hidden", style: { display: "none" } },
		{ selector: ".faded", style: { opacity: 0.2 } },
		{ selector: ":selected", style: { "overlay-color": "#1f77b4", "overlay-opacity": 0.25, "overlay-padding": 4 } },
	];
}

const grouped = data.nodes.some((n) => n.data.kind === "group");
const layouts = {
	layers: { name: "breadthfirst", directed: true, spacingFactor: 1.3, avoidOverlap: true, padding: 30,
		  transform: (node, at) => ({ x: at.y * 1.6, y: at.x }) },
	force: { name: "cose", randomize: false, animate: false, nodeOverlap: 20, idealEdgeLength: () => 120,
		 nodeRepulsion: () => 60000, padding: 30, numIter: Math.max(40, Math.min(1000, 40000 / data.nodes.length)) },
	circle: { name: "concentric", padding: 30, minNodeSpacing: 30 },
	grid: { name: "grid", padding: 30, avoidOverlapPadding: 20 },
};
for (const name of Object.keys(layouts)) $("layout").append(new Option(name));
$("layout").value = grouped || data.nodes.length > 80 ? "force" : "layers";
if (data.nodes.length > FORCES) {
	for (const n of data.nodes) if (n.data.kind === "group") state.collapsed.add(n.data.id);
	if (!grouped) $("layout").value = "circle";
}

const cy = cytoscape({ container: $("graph"), elements: elements(), style: stylesheet(), layout: { name: "preset" },
		       hideEdgesOnViewport: data.nodes.length > MANY });

function arrange() {
	const visible = cy.elements().not(".hidden");
	if ($("layout").value === "force") visible.layout({ ...layouts.grid, fit: false }).run(); // a fixed place to begin at
	// What flows makes the layers; kinship only where nothing flows.
	const flowing = visible.not("edge[kind = 'parent']");
	const layers = $("layout").value === "layers" && flowing.edges().length;
	(layers ? flowing : visible).layout(layouts[$("layout").value]).run();
}

// Draws anew; what stays keeps its place.
function redraw() {
	const places = new Map(cy.nodes().filter((n) => !n.isParent()).map((n) => [n.id(), { ...n.position() }]));
	const chosen = cy.$(":selected").map((e) => e.id());
	cy.batch(() => {
		cy.elements().remove();
		cy.add(elements());
		cy.nodes().forEach((n) => {
			const old = places.get(n.id()) || places.get(n.data("parent"));
			if (old && !n.isParent()) n.position(old);
		});
		chosen.forEach((id) => cy.getElementById(id).select());
	});
	filter();
	return cy.nodes().some((n) => !n.isParent() && !places.has(n.id()));
}

// ---- filters ----

function says(d, word) {
	return [d.label, d.pid, d.object, d.channel, d.exe, d.cmdline, d.id].some((v) => v !== undefined &&
		String(v).toLowerCase().includes(word));
}

function edgeIsShown(e) {
	const d = e.data();
	if (d.kind === "parent") return $("parents").checked;
	if (state.mechs.get(d.mech) === false || d.quiet) return false;
	if ($("certain").checked && d.doubt) return false;
	if ($("waits").checked && !d.waits) return false;
	return !isTraffic(d) || d.bytes >= Number($("bytes").value);
}

function filter() {
	const who = $("who").value.trim().toLowerCase();
	const narrowed = who || $("certain").checked || $("waits").checked || Number($("bytes").value) > 0 || state.slice ||
		[...state.mechs.values()].includes(false);
	cy.batch(() => {
		cy.elements().removeClass("hidden");
		cy.edges().forEach((e) => { if (!edgeIsShown(e)) e.addClass("hidden"); });
		if (who)
			cy.edges().forEach((e) => {
				if (![e.data(), e.source().data(), e.target().data()].some((d) => says(d, who))) e.addClass("hidden");
			});
		if (narrowed)
			cy.nodes().forEach((n) => {
				if (n.isParent()) return;
				const busy = n.connectedEdges().some((e) => !e.hasClass("hidden") && e.data("kind") !== "parent");
				if (!busy && !(who && says(n.data(), who))) n.addClass("hidden");
			});
		cy.nodes(":parent").forEach((n) => { if (n.children().every((c) => c.hasClass("hidden"))) n.addClass("hidden"); });
	});
	// A line to a hidden node is not drawn.
	const seen = (list) => list.filter((e) => !e.hasClass("hidden") && (e.isNode() ||
		!(e.source().hasClass("hidden") || e.target().hasClass("hidden")))).length;
	$("shown").textContent = seen(cy.nodes()) + " of " + plural(cy.nodes().length, "node") + ", " + seen(cy.edges()) + " of " +
		plural(cy.edges().length, "line");
}

function search() {
	const word = $("search").value.trim().toLowerCase();
	cy.elements().removeClass("faded");
	if (!word) return;
	const found = cy.nodes().filter((n) => !n.hasClass("hidden") && says(n.data(), word));
	cy.elements().not(found).not(found.ancestors()).addClass("faded");
	if (found.length) cy.animate({ center: { eles: found }, duration: 200 });
}

// ---- details ----

function element(tag, text, parent) {
	const e = document.createElement(tag);
	if (text !== undefined) e.textContent = text;
	if (parent) parent.append(e);
	return e;
}

function rows(parent, list) {
	const table = element("table", undefined, parent);
	for (const [key, value] of list) {
		if (value === undefined || value === null || value === "") continue;
		const tr = element("tr", undefined, table);
		element("td", key, tr);
		element("td", String(value), tr);
	}
}

function histogram(parent, hist) {
	const from = hist[0][0], to = hist[hist.length - 1][0], most = Math.max(...hist.map((h) => h[1])), at = new Map(hist);
	const box = element("div", undefined, parent);
	box.className = "hist";
	for (let i = from; i <= to; i++) {
		const bar = element("div", undefined, box);
		bar.style.height = 100 * (at.get(i) || 0) / most + "%";
		bar.title = duration(2 ** i) + " to " + duration(2 ** (i + 1)) + ": " + (at.get(i) || 0);
	}
	const axis = element("div", undefined, parent);
	axis.className = "axis";
	element("span", duration(2 ** from), axis);
	element("span", "latency, " + plural(hist.reduce((sum, h) => sum + h[1], 0), "receipt"), axis);
	element("span", duration(2 ** (to + 1)), axis);
}

const some = (n, show) => (n ? show(n) : undefined);

function describeNode(box, n) {
	const d = n.data();
	rows(box, [["kind", d.kind], ["pid", d.pid], ["parent pid", d.ppid], ["program", d.exe], ["command line", d.cmdline],
		["user", d.uid], ["ended", d.exited ? "yes" : undefined], ["mechanism", d.mech], ["object", d.object],
		["messages", d.messages], ["bytes", some(d.bytes, bytes)], ["remark", d.remark], ["stands for", d.members],
		["group", d.group]]);
	const lines = n.connectedEdges().filter((e) => !e.hasClass("hidden") && e.data("kind") !== "parent");
	if (!lines.length) return;
	element("h2", "Ends", box);
	rows(box, lines.map((e) => {
		const out = e.source().id() === n.id(), other = out ? e.target() : e.source();
		return [(out ? "\u2192 " : "\u2190 ") + other.data("label"), e.data("text")];
	}));
}

function describeEdge(box, e) {
	const d = e.data();
	rows(box, [["kind", d.kind], ["from", e.source().data("label")], ["to", e.target().data("label")], ["mechanism", d.mech],
		["object", d.channel], ["role", d.role], ["origin", d.origin], ["messages", d.messages], ["bytes", d.bytes],
		["errors", d.errors || undefined], ["waited", some(d.wait_ns, duration)], ["latency p50", some(d.p50_ns, duration)],
		["latency p99", some(d.p99_ns, duration)], ["latency max", some(d.max_ns, duration)], ["certainty", d.attr],
		["access", d.source_mode && d.source_mode + ", " + d.target_mode]]);
	if (d.hist && d.hist.length) histogram(box, d.hist);
}

function describe(e) {
	const box = $("details");
	box.replaceChildren();
	element("h2", "Details", box);
	if (!e) return void element("p", "Click a node or a line.", box);
	element("strong", e.isNode() ? e.data("label") : e.source().data("label") + " \u2192 " + e.target().data("label"), box);
	(e.isNode() ? describeNode : describeEdge)(box, e);
}

// ---- what people do ----

function setCollapsed(all) {
	state.collapsed = new Set(all ? data.nodes.filter((n) => n.data.kind === "group").map((n) => n.data.id) : []);
	redraw();
	arrange();
}

function toggleGroup(id) {
	if (!state.collapsed.delete(id)) state.collapsed.add(id);
	redraw();
	arrange();
}

function setTheme(dark) {
	state.dark = dark;
	document.documentElement.classList.toggle("dark", dark);
	cy.style(stylesheet());
}

function save(blob, name) {
	const a = document.createElement("a");
	a.href = URL.createObjectURL(blob);
	a.download = name;
	a.click();
	setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}

function chooseSlice() {
	state.slice = Number($("slice").value);
	const s = state.slice && data.slices[state.slice - 1];
	$("when").textContent = s ? duration(s.from_ns) + " to " + duration(s.to_ns) + " after the start" : "the whole time";
	redraw();
}

function step(by) {
	const nodes = cy.nodes().filter((n) => !n.hasClass("hidden")), at = nodes.indexOf(cy.nodes(":selected")[0]);
	if (!nodes.length) return;
	cy.elements().unselect();
	const next = nodes[(at + by + nodes.length) % nodes.length];
	next.select();
	describe(next);
	cy.animate({ center: { eles: next }, duration: 100 });
}

const zoom = (by) => cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
const keys = {
	"/": () => $("search").focus(), f: () => cy.fit(undefined, 30), c: () => setCollapsed(true), e: () => setCollapsed(false),
	t: () => setTheme(!state.dark), "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), n: () => step(1),
	p: () => step(-1), ArrowLeft: () => cy.panBy({ x: 60, y: 0 }), ArrowRight: () => cy.panBy({ x: -60, y: 0 }),
	ArrowUp: () => cy.panBy({ x: 0, y: 60 }), ArrowDown: () => cy.panBy({ x: 0, y: -60 }),
	Escape: () => { cy.elements().unselect(); $("search").value = ""; search(); describe(); },
};

function listen() {
	$("search").addEventListener("input", search);
	for (const id of ["who", "bytes", "certain", "waits", "parents"]) $(id).addEventListener("input", filter);
	$("layout").addEventListener("change", arrange);
	$("slice").addEventListener("input", chooseSlice);
	$("fit").addEventListener("click", keys.f);
	$("collapse").addEventListener("click", keys.c);
	$("expand").addEventListener("click", keys.e);
	$("theme").addEventListener("click", keys.t);
	$("png").addEventListener("click", () => save(cy.png({ output: "blob", full: true, scale: 2,
		bg: state.dark ? "#16181c" : "#ffffff" }), "ipctrace.png"));
	$("json").addEventListener("click", () => save(new Blob([JSON.stringify(data, null, 1)], { type: "application/json" }),
		"ipctrace.json"));
	cy.on("tap", (event) => describe(event.target === cy ? undefined : event.target));
	cy.on("dbltap", "node", (event) => {
		if (event.target.data("kind") === "group") toggleGroup(event.target.id());
	});
	document.addEventListener("keydown", (event) => {
		const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
		if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== "Escape") || !keys[event.key]) return;
		event.preventDefault();
		if (typing) event.target.blur();
		keys[event.key]();
	});
}

// ---- the frame around the graph ----

function frame() {
	$("notes").textContent = data.notes.join(" \u00b7 ");
	const mechs = Object.keys(data.styles).sort(), legend = $("legend").querySelector("div");
	$("mechs").replaceChildren();
	legend.replaceChildren();
	for (const mech of mechs) {
		const label = element("label", undefined, $("mechs")), box = element("input", undefined, label);
		box.type = "checkbox";
		box.checked = state.mechs.get(mech) !== false;
		box.dataset.mech = mech;
		box.addEventListener("input", () => { state.mechs.set(mech, box.checked); filter(); });
		label.append(" " + mech);
		const line = element("div", undefined, legend), swatch = element("span", undefined, line);
		swatch.className = "swatch";
		swatch.style.background = data.styles[mech].colour;
		line.append(mech + " (" + data.styles[mech].shape + ")");
	}
	$("time").hidden = !data.slices;
	if (data.slices) $("slice").max = data.slices.length;
}

// ---- live: the server says when there is something new ----

async function update() {
	const answer = await fetch("page.json" + location.search);
	if (!answer.ok) return;
	data = await answer.json();
	frame();
	if (redraw()) arrange();
}

frame();
setTheme(state.dark);
filter();
arrange();
if (data.slices) chooseSlice();
listen();
if (data.live) {
	let busy = false;
	new EventSource("events" + location.search).addEventListener("graph", async () => {
		if (busy || document.hidden) return;
		busy = true;
		try { await update(); } finally { busy = false; }
	});
}
globalThis.ipctrace = { cy, data: () => data, describe };
})();
