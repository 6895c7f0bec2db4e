"use strict";
// A kept day, played on the map. Plotly draws what stands still (roads, places, the chart); what moves is painted on a
// canvas above it, frame by frame. All numbers come from the page's JSON: minutes after midnight, km east and north.

const get = (id) => document.getElementById(id);
const shared = JSON.parse(get("shared").textContent), words = shared.words;
const FEW = 1; // stands for one to four pupils on public pages
const STATES = ["waiting", "aboard", "left", "school", "line", "eating", "bed"];
const COLOUR = {waiting: "#222222", aboard: "#56B4E9", left: "#B84C00", school: "#0072B2", line: "#E69F00", eating: "#009E73", bed: "#CC79A7"};
const DASH = {waiting: "dot", aboard: "solid", left: "dash", school: "solid", line: "solid", eating: "dash", bed: "dot"};
const FILL = [[0, "#FFFFFF"], [0.5, "#56B4E9"], [0.85, "#0072B2"], [Infinity, "#D55E00"]]; // share of seats up to which
const SPEEDS = [1, 2, 5, 10, 20], USUAL = 2; // minutes a second
const FONT = getComputedStyle(document.body).fontFamily;
const PLAIN = {displayModeBar: false, responsive: true};
const map = get("map"), plot = get("plot"), canvas = get("moving"), pen = canvas.getContext("2d");
const state = {minute: 0, playing: false, followed: ""};
let day;

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const clock = (minute) => `${Math.floor(minute / 60)}:${String(Math.floor(minute % 60)).padStart(2, "0")}`;
const count = (pupils) => shared.public && pupils === FEW ? "<5" : pupils.toLocaleString("en-US");
const spot = (place) => place < 0 ? shared.schools[-1 - place] : shared.hamlets[place];
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;"); // Plotly reads tags in its labels

function element(tag, text = "", style = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = style;
  return made;
}

function line(cells, tag = "td", style = "") {
  const row = element("tr", "", style);
  row.append(...cells.map((cell, k) => element(tag, cell, k ? "n" : "")));
  return row;
}

// --- What the data say of a minute

function everyMinute(steps) { // [minute, value, ...] of the changes -> the value of every minute
  const values = new Int32Array(day.last - day.first + 1);
  for (let k = 0; k < steps.length; k += 2) values.fill(steps[k + 1], steps[k] - day.first);
  return values;
}

function lastBefore(minutes, minute) { // position of the last of rising minutes that is not later; -1: none
  let low = 0, high = minutes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (minutes[middle] <= minute) low = middle + 1; else high = middle;
  }
  return low - 1;
}

const at = (group, name) => group[name][Math.floor(state.minute + 1e-6) - day.first];

function whereIs(bus) { // [x, y], or nothing while it is in its yard
  for (const [minutes, x, y] of bus.ways) {
    const k = lastBefore(minutes, state.minute);
    if (k < 0 || k === minutes.length - 1) continue;
    const share = (state.minute - minutes[k]) / (minutes[k + 1] - minutes[k] || 1);
    return [x[k] + share * (x[k + 1] - x[k]), y[k] + share * (y[k + 1] - y[k])];
  }
  return null;
}

function loadOf(bus) {
  const k = lastBefore(bus.loadMinutes, state.minute);
  return k < 0 ? 0 : bus.loads[k];
}

const isBroken = (bus) => bus.broken.some(([begin, end]) => begin <= state.minute && state.minute < end);

// --- The map: what stands still

function drawMap() {
  const [west, south, east, north] = shared.box;
  const trace = (places, more) => ({
    x: places.map((place) => place.x), y: places.map((place) => place.y), text: places.map((place) => escaped(place.name)),
    type: "scatter", mode: "markers", hoverinfo: "text", ...more,
  });
  Plotly.newPlot(map, [
    trace(shared.hamlets, {marker: {size: 4, color: "#8a8a8a"}}),
    trace(day.schools.map((school) => shared.schools[school.place]), {marker: {size: 4, color: "#222", symbol: "square"}}),
  ], {
    margin: {l: 0, r: 0, t: 0, b: 0}, showlegend: false, hovermode: "closest", dragmode: "pan", font: {family: FONT},
    xaxis: {visible: false, range: [west, east]},
    yaxis: {visible: false, range: [south, north], scaleanchor: "x"},
    images: [{source: shared.roads, xref: "x", yref: "y", x: west, y: north, sizex: east - west, sizey: north - south,
      sizing: "stretch", layer: "below"}],
  }, {...PLAIN, scrollZoom: true, doubleClick: "reset"});
  for (const event of ["plotly_relayout", "plotly_relayouting", "plotly_afterplot"]) map.on(event, paint);
}

function toScreen(axis, value) {
  const [low, high] = axis.range;
  return axis._offset + (value - low) / (high - low) * axis._length;
}

function pixel(x, y) {
  const {xaxis, yaxis} = map._fullLayout;
  return [toScreen(xaxis, x), 2 * yaxis._offset + yaxis._length - toScreen(yaxis, y)];
}

function zoomTo(x, y) { // so that all of some places are seen
  const [west, south, east, north] = [Math.min(...x) - 1, Math.min(...y) - 1, Math.max(...x) + 1, Math.max(...y) + 1];
  Plotly.relayout(map, {"xaxis.range": [west, east], "yaxis.range": [south, north]});
}

// --- The map: what moves

function circle([x, y], radius, colour, opacity, width = 1) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.globalAlpha = opacity;
  pen.fillStyle = pen.strokeStyle = colour;
  if (opacity) pen.fill();
  pen.globalAlpha = 1;
  pen.lineWidth = width;
  pen.stroke();
}

function cross([x, y], size, colour, width) {
  pen.beginPath();
  pen.moveTo(x - size, y - size); pen.lineTo(x + size, y + size);
  pen.moveTo(x + size, y - size); pen.lineTo(x - size, y + size);
  pen.lineWidth = width;
  pen.strokeStyle = colour;
  pen.stroke();
}

function paintBus(bus) {
  const where = whereIs(bus);
  if (!where) return;
  const [x, y] = pixel(...where), share = loadOf(bus) / bus.seats, size = 7 + 5 * Math.min(share, 1);
  pen.fillStyle = FILL.find(([most]) => share <= most)[1];
  pen.fillRect(x - size / 2, y - size / 2, size, size);
  pen.lineWidth = 1;
  pen.strokeStyle = "#222222";
  pen.strokeRect(x - size / 2, y - size / 2, size, size);
  if (isBroken(bus)) cross([x, y], 8, "#222222", 2.5);
}

function paint() {
  const ratio = window.devicePixelRatio || 1, {clientWidth, clientHeight} = canvas;
  if (canvas.width !== Math.round(clientWidth * ratio) || canvas.height !== Math.round(clientHeight * ratio)) {
    canvas.width = Math.round(clientWidth * ratio);
    canvas.height = Math.round(clientHeight * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, clientWidth, clientHeight);
  for (const school of day.schools) {
    const {x, y} = shared.schools[school.place];
    const groups = ["school", "eating", "line", "bed"].map((name) => [at(school, name), name]).filter(([pupils]) => pupils);
    for (const [pupils, name] of groups.sort(([one], [other]) => other - one)) { // the largest below
      circle(pixel(x, y), Math.max(2, Math.sqrt(pupils) * day.scale), COLOUR[name], name === "school" ? 0.22 : 0.8);
    }
  }
  for (const hamlet of day.hamlets) {
    if (at(hamlet, "left")) circle(pixel(spot(hamlet.place).x, spot(hamlet.place).y), 7, COLOUR.left, 0, 2.5);
  }
  for (const [begin, end, place] of day.cancelled) {
    if (begin <= state.minute && state.minute <= end) cross(pixel(spot(place).x, spot(place).y), 6, COLOUR.left, 3.5);
  }
  paintTowns();
  paintFollowed();
  day.buses.forEach(paintBus);
}

function paintTowns() {
  pen.font = `11px ${FONT}`;
  pen.textAlign = "center";
  pen.lineJoin = "round";
  pen.lineWidth = 3;
  pen.strokeStyle = "#FFFFFF";
  pen.fillStyle = "#222222";
  for (const {x, y, name} of shared.towns) {
    const [right, down] = pixel(x, y);
    pen.strokeText(name, right, down - 12);
    pen.fillText(name, right, down - 12);
  }
}

function paintFollowed() {
  const [kind, one] = followed();
  if (!one) return;
  if (kind === "buses") {
    pen.beginPath();
    for (const [, x, y] of one.ways) x.forEach((_, k) => k ? pen.lineTo(...pixel(x[k], y[k])) : pen.moveTo(...pixel(x[k], y[k])));
    pen.lineWidth = 5;
    pen.strokeStyle = "#56B4E999";
    pen.stroke();
  }
  const where = kind === "buses" ? whereIs(one) : [shared[kind][one.place].x, shared[kind][one.place].y];
  if (where) circle(pixel(...where), 14, "#222222", 0, 2.5);
}

// --- The panel

function drawChart() {
  const minutes = Array.from(day.county.school, (_, k) => day.first + k);
  const hours = [6, 9, 12, 15, 18, 21].map((hour) => hour * 60);
  Plotly.newPlot(plot, STATES.map((name) => ({
    x: minutes, y: Array.from(day.county[name]), type: "scatter", mode: "lines", hoverinfo: "skip",
    line: {color: COLOUR[name], dash: DASH[name], width: 1.6, shape: "hv"}, yaxis: name === "school" || name === "bed" ? "y" : "y2",
  })), {
    margin: {l: 44, r: 8, t: 6, b: 20}, showlegend: false, font: {size: 10, family: FONT}, hovermode: false, dragmode: false,
    xaxis: {range: [day.first, day.last], tickvals: hours, ticktext: hours.map(clock), fixedrange: true, anchor: "y2"},
    yaxis: {domain: [0.56, 1], rangemode: "tozero", fixedrange: true, nticks: 4, separatethousands: true},
    yaxis2: {domain: [0, 0.46], rangemode: "tozero", fixedrange: true, nticks: 4, separatethousands: true},
    annotations: [1, 0.46].map((y) => ({text: words.pupils, x: 0.01, y, xref: "paper", yref: "paper", showarrow: false, xanchor: "left"})),
  }, PLAIN);
  plot.on("plotly_afterplot", showTime);
}

function drawCounts() {
  get("counts").replaceChildren(...STATES.map((name) => {
    const row = line(["", ""]), swatch = element("span", "", "swatch");
    swatch.style.borderTopColor = COLOUR[name];
    swatch.style.borderTopStyle = {solid: "solid", dash: "dashed", dot: "dotted"}[DASH[name]];
    row.firstChild.append(swatch, words[name]);
    row.id = `count-${name}`;
    return row;
  }));
}

function showTime() {
  const {xaxis} = plot._fullLayout, now = get("now").style;
  now.left = `${toScreen(xaxis, state.minute)}px`;
  now.top = "6px";
  now.height = `${plot.clientHeight - 26}px`;
}

function showCounts() {
  for (const name of STATES) get(`count-${name}`).lastChild.textContent = count(at(day.county, name));
  get("clock").textContent = clock(state.minute + 1e-6);
}

function followed() { // ["buses", the bus], ["schools", the school], ["hamlets", the hamlet] or nothing
  const [kind, place] = state.followed.split(" ");
  return kind ? [kind, day[kind][Number(place)]] : [];
}

function showFollowed() {
  const [kind, one] = followed(), told = get("told");
  if (!one) told.replaceChildren(element("p", words.choose, "note"));
  else if (kind === "buses") {
    told.replaceChildren(...aboutBus(one));
    const next = told.querySelector(".next"), stop = next ? next.dataset.stop : "";
    if (stop !== told.dataset.stop && next) told.scrollTop = next.closest("section").offsetTop - told.offsetTop - told.firstChild.offsetHeight;
    told.dataset.stop = stop;
  } else told.replaceChildren(...aboutPlace(kind, one));
}

function aboutPlace(kind, place) {
  const rows = STATES.filter((name) => place[name]).map((name) => line([words[name], count(at(place, name))]));
  const table = element("table");
  table.append(...rows);
  const rooms = kind === "schools" ? [element("p", fill(words.rooms, place), "note")] : [];
  return [element("h3", shared[kind][place.place].name), ...rooms, table];
}

function aboutBus(bus) {
  const where = whereIs(bus), now = fill(where ? words.bus_now : words.in_yard, {n: count(loadOf(bus)), seats: bus.seats});
  const head = element("header");
  head.append(element("h3", bus.name), element("p", now));
  if (isBroken(bus)) head.lastChild.append(" · ", element("span", words.broken, "bad"));
  const next = bus.runs.flatMap((run) => run.stops).find(([, , lived]) => lived !== null && lived > state.minute);
  return [head, ...bus.runs.map((run) => aboutRun(run, next))];
}

function aboutRun(run, next) {
  const befell = ["cancelled", "broke_down", "second_left"].filter((name) => name in run);
  const table = element("table"), head = element("thead");
  head.append(line([words.stop, words.planned, words.lived, words.load], "th"));
  table.append(head, ...run.stops.map((stop) => {
    const [place, planned, lived, plannedLoad, load] = stop, came = lived !== null;
    const style = stop === next ? "next" : came && lived <= state.minute ? "past" : "";
    const missed = "cancelled" in run ? "–" : words.not_reached;
    const row = line([spot(place).short, clock(planned), came ? clock(lived) : missed, `${count(plannedLoad)} / ${came ? count(load) : "–"}`], "td", style);
    row.dataset.stop = `${run.name} ${place}`;
    return row;
  }));
  const section = element("section");
  section.append(
    element("h3", fill(words[run.way], {school: spot(run.school).short})), element("p", run.name, "note"),
    ...befell.map((name) => element("p", fill(words[name], {time: clock(run[name])}), "bad")), table,
  );
  return section;
}

// --- Time

function show() { // whatever depends on the minute
  get("time").value = state.minute;
  paint();
  showTime();
  if (state.shown === Math.floor(state.minute * 2)) return;
  state.shown = Math.floor(state.minute * 2); // texts change twice a minute at most
  showCounts();
  showFollowed();
}

function goTo(minute) {
  state.minute = Math.min(Math.max(minute, day.first), day.last);
  state.shown = null;
  show();
}

function play(on) {
  state.playing = on;
  get("play").textContent = on ? `❚❚ ${words.pause}` : `▶ ${words.play}`;
  if (!on) return;
  if (state.minute >= day.last) goTo(day.first);
  let before = performance.now();
  requestAnimationFrame(function frame(now) {
    if (!state.playing) return;
    state.minute = Math.min(state.minute + Math.max(now - before, 0) / 1000 * SPEEDS[get("speed").value], day.last);
    before = now;
    show();
    if (state.minute < day.last) requestAnimationFrame(frame); else play(false);
  });
}

function follow(value) {
  get("follow").value = state.followed = value;
  const [kind, one] = followed();
  if (kind === "buses" && one.ways.length) zoomTo(one.ways.flatMap((way) => way[1]), one.ways.flatMap((way) => way[2]));
  get("told").dataset.stop = "";
  showFollowed();
  paint();
}

function nearest(event) { // what was clicked on: a bus before a school before a hamlet
  const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  const far = (where) => where ? Math.hypot(...pixel(...where).map((value, k) => value - [x, y][k])) : Infinity;
  const kinds = [["buses", 10, whereIs], ["schools", 10, (one) => [shared.schools[one.place].x, shared.schools[one.place].y]],
    ["hamlets", 8, (one) => [shared.hamlets[one.place].x, shared.hamlets[one.place].y]]];
  for (const [kind, reach, where] of kinds) {
    const away = day[kind].map((one) => far(where(one))), k = away.indexOf(Math.min(...away));
    if (away[k] <= reach) return `${kind} ${k}`;
  }
  return null;
}

// --- Beginning

function open(k) {
  day = JSON.parse(document.querySelectorAll("script.day")[k].textContent);
  for (const group of [day.county, ...day.hamlets, ...day.schools]) {
    for (const name of STATES) if (name in group) group[name] = everyMinute(group[name]);
  }
  for (const bus of day.buses) {
    bus.loadMinutes = bus.load.filter((_, k) => k % 2 === 0);
    bus.loads = bus.load.filter((_, k) => k % 2 === 1);
  }
  day.scale = 20 / Math.sqrt(Math.max(1, ...day.schools.map((school) => Math.max(...school.school)))); // px for one pupil
  state.followed = "";
  [get("time").min, get("time").max] = [day.first, day.last];
  get("why").textContent = day.worst ? day.worst.text : words.nobody;
  get("worst").disabled = !day.worst;
  get("weather").textContent = day.weather.length ? fill(words.weather, {morning: day.weather[0], afternoon: day.weather[1]}) : "";
  listAll();
  drawCounts();
  drawMap();
  drawChart();
  showFollowed();
  goTo(day.first + 30);
}

function listAll() {
  const names = {buses: (bus) => bus.name, schools: (one) => shared.schools[one.place].name, hamlets: (one) => shared.hamlets[one.place].name};
  get("follow").replaceChildren(new Option(words.nothing, ""), ...Object.keys(names).filter((kind) => day[kind].length).map((kind) => {
    const group = element("optgroup");
    group.label = words[kind];
    const options = day[kind].map((one, k) => new Option(names[kind](one), `${kind} ${k}`));
    group.append(...(kind === "buses" ? options : options.sort((a, b) => a.text.localeCompare(b.text))));
    return group;
  }));
}

function wire() {
  get("speed").replaceChildren(...SPEEDS.map((n, k) => new Option(fill(words.per_second, {n}), k, k === USUAL, k === USUAL)));
  for (const [id, name] of [["speed", "speed"], ["time", "time"]]) get(id).ariaLabel = words[name];
  [get("worst").textContent, get("whole").textContent] = [words.to_worst, words.whole];
  get("play").addEventListener("click", () => play(!state.playing));
  get("worst").addEventListener("click", () => { play(false); goTo(day.worst.minute); });
  get("whole").addEventListener("click", () => zoomTo([shared.box[0] + 1, shared.box[2] - 1], [shared.box[1] + 1, shared.box[3] - 1]));
  get("time").addEventListener("input", () => goTo(Number(get("time").value)));
  get("follow").addEventListener("change", () => follow(get("follow").value));
  if (get("day")) get("day").addEventListener("change", () => { play(false); open(get("day").value); });
  get("chart").addEventListener("click", (event) => {
    const {xaxis} = plot._fullLayout, x = event.clientX - plot.getBoundingClientRect().left - xaxis._offset;
    goTo(day.first + x / xaxis._length * (day.last - day.first));
  });
  let pressed;
  get("view").addEventListener("pointerdown", (event) => { pressed = [event.clientX, event.clientY]; }, true);
  get("view").addEventListener("click", (event) => {
    const moved = Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]); // a drag is no click
    const one = moved < 4 && !event.target.closest(".legend") && nearest(event);
    if (one) follow(one);
  }, true);
  for (const type of ["keydown", "keyup"]) {
    document.addEventListener(type, (event) => {
      if (event.code !== "Space" || event.target.matches("select, summary, a")) return;
      event.preventDefault();
      if (type === "keydown" && !event.repeat) play(!state.playing);
    });
  }
}

if (document.querySelector("script.day")) {
  wire();
  open(0);
  play(false);
}
