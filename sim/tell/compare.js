// Draws what the reader chooses among compared scenarios. All numbers and texts lie in the page itself.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const INK = "#222222", GREY = "#767676", PALE = "#BDBDBD", BLUE = "#0072B2", LIGHT = "#E6E6E6";
  const MOST_SCHOOLS = 20, ROW_PX = 20, WHOLE_FROM = 100, LONGEST = 34;
  const FONT = { family: getComputedStyle(document.body).fontFamily, size: 13, color: INK };
  const CONFIG = { displayModeBar: false, responsive: true };
  const LABEL = { align: "left", bgcolor: "#ffffff", bordercolor: GREY, font: FONT };
  const AXIS = {
    zeroline: false, gridcolor: LIGHT, linecolor: GREY, exponentformat: "none", separatethousands: true,
    automargin: true,
  };

  // --- Texts

  const word = (name, values = {}) => data.words[name].replace(/\{(\w+)\}/g, (place, key) => values[key] ?? place);
  const nameOf = (measure) => data.measures[measure].name;
  /** Plotly reads tags in its texts; names from a county's tables are to be seen as they are. */
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  /** A number as on the rest of the page: one place after the point below 100, unless `places` says how many. */
  function number(value, places) {
    if (!Number.isFinite(value)) return "–";
    const told = Number(value.toPrecision(7));
    const digits = places ?? (Math.abs(told) >= WHOLE_FROM || Number.isInteger(told) ? 0 : 1);
    const text = told.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return text.replace("-", /[1-9]/.test(text) ? "−" : "");
  }

  function span({ mean, low, high }, measure) {
    const { places } = data.measures[measure];
    if (!(high - low > 1e-9 * Math.abs(mean))) return number(mean, places);
    const digits = places ?? (Math.max(Math.abs(mean), Math.abs(high)) >= WHOLE_FROM ? 0 : 1);
    return `${number(mean, digits)} (${number(low, digits)} – ${number(high, digits)})`;
  }

  // --- Statistics, as in sim/judge/paired.py

  /** Mean and 95 % t interval of numbers that are all known; fewer than two have no interval. */
  function interval(values) {
    const n = values.length, sum = (of) => of.reduce((total, value) => total + value, 0);
    const mean = sum(values) / n;
    const error = n > 1 ? Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (n - 1) / n) : NaN;
    const half = n > 1 ? data.t[n] * error : NaN;
    return { mean, error, n, low: mean - half, high: mean + half };
  }

  /** Both means, the differences b less a over the replications that both have, and the paired t test's p value. */
  function paired(a, b) {
    const both = a.map((_, k) => k).filter((k) => Number.isFinite(a[k]) && Number.isFinite(b[k]));
    const differ = interval(both.map((k) => b[k] - a[k]));
    const score = differ.mean === 0 ? 0 : Math.abs(differ.mean) / differ.error;
    const p = differ.n > 1 ? beyond(score, differ.n - 1) : NaN;
    return { a: interval(both.map((k) => a[k])), b: interval(both.map((k) => b[k])), differ, p };
  }

  /** Chance that Student's t lies outside of +-score: finite series, Abramowitz and Stegun 26.7.3 and 26.7.4. */
  function beyond(score, freedom) {
    const angle = Math.atan(score / Math.sqrt(freedom)), cos = Math.cos(angle), sin = Math.sin(angle);
    const odd = freedom % 2;
    let term = odd ? cos : 1, sum = 0;
    for (let power = odd; power <= freedom - 2; power += 2) {
      sum += term;
      term *= ((power + 1) / (power + 2)) * cos * cos;
    }
    return 1 - (odd ? (2 / Math.PI) * (angle + sin * sum) : sin * sum);
  }

  /** p values adjusted for their number by Holm's steps; what is no number is no comparison. */
  function holm(values) {
    const known = values.map((_, k) => k).filter((k) => Number.isFinite(values[k]));
    const adjusted = values.map(() => NaN);
    let most = 0;
    known.sort((i, k) => values[i] - values[k]).forEach((k, place) => {
      most = Math.min(1, Math.max(most, values[k] * (known.length - place)));
      adjusted[k] = most;
    });
    return adjusted;
  }

  // --- All scenarios: two measures

  /** The scenarios whose values are all ticked. */
  function ticked() {
    const off = [...document.querySelectorAll(".filter:not(:checked)")].map((box) => box.dataset);
    const is = (place, { setting, value }) => data.settings[setting][place] === Number(value);
    return data.scenarios.map((_, place) => place).filter((place) => !off.some((values) => is(place, values)));
  }

  function pointOf(place, x, y) {
    const of = (measure, end) => data.points[measure][end][place] ?? NaN;
    const [along, up] = [x, y].map((measure) => ({
      mean: of(measure, "mean"), low: of(measure, "low"), high: of(measure, "high"),
    }));
    return { place, x: along, y: up };
  }

  function drawPoints() {
    const x = at("x").value, y = at("y").value, all = ticked().map((place) => pointOf(place, x, y));
    const points = all.filter((point) => Number.isFinite(point.x.mean + point.y.mean));
    const least = front(points), others = points.filter((point) => !least.includes(point));
    const traces = [
      { ...dots(others, x, y), name: word("others"), mode: "markers",
        marker: { symbol: "circle-open", size: 9, color: GREY, line: { width: 1.6 } } },
      { ...dots(least, x, y), name: word("front"), mode: "lines+markers",
        marker: { size: 9, color: INK }, line: { color: INK, width: 1, dash: "dot" } },
      { x: [], y: [], name: word("first"), mode: "markers", hoverinfo: "skip",
        marker: { symbol: "square-open", size: 19, color: BLUE, line: { width: 2 } } },
    ];
    points.filter((point) => point.place === 0).forEach((first) => {
      traces[2].x.push(first.x.mean);
      traces[2].y.push(first.y.mean);
    });
    const away = all.filter((point) => !points.includes(point)).map((point) => data.scenarios[point.place]);
    at("not_drawn").textContent = away.length ? word("not_drawn", { scenarios: away.join("; ") }) : "";
    return Plotly.react("points", traces, {
      font: FONT, hoverlabel: LABEL, hovermode: "closest", separators: ".,", height: 400,
      margin: { l: 70, r: 20, t: 34, b: 52 }, legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      xaxis: { ...AXIS, title: { text: plain(nameOf(x)) } }, yaxis: { ...AXIS, title: { text: plain(nameOf(y)) } },
      annotations: letters(points),
    }, CONFIG);
  }

  /** The points of which no other one has less of one measure and no more of the other, from left to right. */
  function front(points) {
    const less = (one, other) => one.x.mean <= other.x.mean && one.y.mean <= other.y.mean &&
      (one.x.mean < other.x.mean || one.y.mean < other.y.mean);
    return points.filter((point) => !points.some((other) => less(other, point)))
      .sort((one, other) => one.x.mean - other.x.mean || one.y.mean - other.y.mean);
  }

  function dots(points, x, y) {
    const text = points.map((point) => {
      const name = plain(data.scenarios[point.place]).replace(/; |,(?=[\w.]+=)/g, "<br>");
      return `<b>${name}</b><br>${plain(nameOf(y))}: ${span(point.y, y)}<br>${plain(nameOf(x))}: ${span(point.x, x)}`;
    });
    return {
      x: points.map((point) => point.x.mean), y: points.map((point) => point.y.mean), text,
      customdata: points.map((point) => point.place), hovertemplate: "%{text}<extra></extra>",
      error_x: bars(points.map((point) => point.x)), error_y: bars(points.map((point) => point.y)),
    };
  }

  const bars = (of, color = PALE) => ({
    type: "data", symmetric: false, color, thickness: 1.3, width: 3,
    array: of.map(({ mean, high }) => high - mean || 0), arrayminus: of.map(({ mean, low }) => mean - low || 0),
  });

  /** The letters of the two scenarios that are chosen, beside their points. */
  function letters(points) {
    const chosen = ["a", "b"].filter(at).map((id, k) => [id.toUpperCase(), Number(at(id).value), k ? 16 : -16]);
    return chosen.flatMap(([letter, place, ax]) => points.filter((point) => point.place === place).map((point) => ({
      x: point.x.mean, y: point.y.mean, text: `<b>${letter}</b>`, ax, ay: -24, standoff: 5, arrowcolor: INK,
      arrowwidth: 1.2, arrowsize: 0.8, font: { ...FONT, size: 15 },
    })));
  }

  // --- Two scenarios

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const unpacked = {};

  /** A function that gives the numbers of a school (its place in the table) in a scenario; null: not to be shown. */
  function numbersOf(measure) {
    const { sites, rows, at: places } = data.by_school[measure], length = data.replications;
    unpacked[measure] ??= { rows: new Float32Array(bytes(rows)), places: new Uint16Array(bytes(places)) };
    const table = unpacked[measure];
    return (scenario, k) => {
      const row = table.places[scenario * sites.length + k];
      return row === data.hidden ? null : [...table.rows.subarray(row * length, (row + 1) * length)];
    };
  }

  /** The schools' differences, the largest first, with which are clear among so many; and what is not listed. */
  function differences(measure, a, b) {
    const numbers = numbersOf(measure), told = [], hidden = [];
    data.by_school[measure].sites.forEach((site, k) => {
      const school = data.schools[site], own = [numbers(a, k), numbers(b, k)];
      if (own.includes(null)) hidden.push(school);
      else told.push({ school, ...paired(...own) });
    });
    const adjusted = holm(told.map((row) => row.p));
    told.forEach((row, k) => (row.clear = adjusted[k] < data.clear));
    const size = ({ differ }) => Math.abs(differ.mean), inBoth = told.filter(({ differ }) => differ.n);
    const rows = inBoth.filter((row) => size(row) || row.differ.error).sort((one, other) => size(other) - size(one));
    const compared = told.filter(({ p }) => Number.isFinite(p)).length;
    return { rows, hidden, same: inBoth.length - rows.length, alone: told.length - inBoth.length, compared };
  }

  function drawPair() {
    const a = Number(at("a").value), b = Number(at("b").value), measure = at("measure").value;
    const found = differences(measure, a, b);
    drawDifferences(found.rows, measure);
    const mean = (of) => number(of.mean, data.measures[measure].places);
    const star = (row) => (row.clear ? data.star : "");
    const cells = (name, row) => [name, mean(row.a), mean(row.b), span(row.differ, measure) + star(row)];
    const secret = (name) => [name, "*", "*", "*"], county = countyPair(measure, a, b);
    fill(at("schools"), [word("school"), "A", "B", word("difference")], [
      county ? cells(word("county"), county) : secret(word("county")),
      ...found.rows.map((row) => cells(row.school, row)), ...found.hidden.map(secret),
    ]);
    at("schools").tBodies[0].rows[0].className = "county";
    at("notes").textContent = notes(found);
    fill(at("side"), [word("measure"), `A: ${data.scenarios[a]}`, `B: ${data.scenarios[b]}`, word("difference")],
      [...at("y").options].map(({ value: name }) => {
        const both = countyPair(name, a, b);
        const told = both && [both.a, both.b, both.differ].map((of) => span(of, name));
        return told ? [nameOf(name), ...told] : secret(nameOf(name));
      }));
  }

  function notes({ rows, hidden, same, alone, compared }) {
    const luck = number(compared * 0.05, null);
    return [
      rows.length ? "" : word("nothing"),
      data.replications < 2 ? word("one") : "",
      compared > 1 ? word("star", { star: data.star, count: compared, luck }) : "",
      compared === 1 ? word("star_one", { star: data.star }) : "",
      same ? word("same", { count: same }) : "",
      alone ? word("alone", { count: alone }) : "",
      hidden.length ? word("hidden", { count: hidden.length }) : "",
    ].filter(Boolean).join("\n");
  }

  /** Null becomes no number; a scenario without numbers that may be shown has no pair. */
  function countyPair(measure, a, b) {
    const own = [a, b].map((place) => data.county[measure][place]);
    return own.includes(null) ? null : paired(...own.map((values) => values.map((value) => value ?? NaN)));
  }

  /** A dot with its interval for each school; with many schools the largest differences, unless all are asked for. */
  function drawDifferences(rows, measure) {
    at("differences").hidden = rows.length === 0;
    const shown = at("every").checked ? rows : rows.slice(0, MOST_SCHOOLS), places = shown.map((_, k) => k);
    const title = plain(`${word("difference")}: ${nameOf(measure)}`);
    const text = ({ school, a, b, differ }) => [
      `<b>${plain(school)}</b>`, `A ${span(a, measure)}`, `B ${span(b, measure)}`,
      `${word("difference")} ${span(differ, measure)}`,
    ].join("<br>");
    const short = ({ school }) => plain(school.length > LONGEST ? `${school.slice(0, LONGEST - 1)}…` : school);
    const part = (clear, marker) => {
      const some = places.filter((k) => shown[k].clear === clear);
      return {
        x: some.map((k) => shown[k].differ.mean), y: some, mode: "markers", marker,
        name: word(clear ? "clear" : "unclear"),
        error_x: bars(some.map((k) => shown[k].differ), GREY), text: some.map((k) => text(shown[k])),
        hovertemplate: "%{text}<extra></extra>",
      };
    };
    return Plotly.react("differences", [
      part(true, { size: 8, color: INK }),
      part(false, { size: 8, color: GREY, symbol: "circle-open", line: { width: 1.6 } }),
    ], {
      font: { ...FONT, size: 12 }, hoverlabel: LABEL, hovermode: "closest", separators: ".,", showlegend: true,
      height: 100 + ROW_PX * Math.max(shown.length, 3), margin: { l: 10, r: 12, t: 30, b: 46 },
      legend: { orientation: "h", x: 0, xref: "container", y: 1, yref: "container", yanchor: "top" },
      xaxis: { ...AXIS, zeroline: true, zerolinecolor: INK, rangemode: "tozero", title: { text: title } },
      yaxis: { ...AXIS, range: [shown.length - 0.4, -0.6], tickvals: places, ticktext: shown.map(short) },
    }, CONFIG);
  }

  /** Fill a table with texts; the first column is words, the others are numbers. */
  function fill(table, head, rows) {
    const row = (cells, tag) => {
      const line = document.createElement("tr");
      cells.forEach((text, k) => {
        const cell = line.appendChild(document.createElement(tag));
        cell.textContent = text;
        cell.className = k ? "n" : "";
      });
      return line;
    };
    const [thead, tbody] = ["thead", "tbody"].map((tag) => document.createElement(tag));
    thead.append(row(head, "th"));
    tbody.append(...rows.map((cells) => row(cells, "td")));
    table.replaceChildren(thead, tbody);
  }

  // --- What the reader does

  const pair = at("a") !== null;
  let turn = "a";

  function pick(place) {
    const list = at(turn);
    if (![...list.options].some((option) => Number(option.value) === place)) return;
    list.value = place;
    turn = turn === "a" ? "b" : "a";
    drawPoints();
    drawPair();
  }

  function choose(id, ...draw) {
    at(id).addEventListener("change", () => draw.forEach((each) => each()));
  }

  choose("x", drawPoints);
  choose("y", drawPoints);
  document.querySelectorAll(".filter").forEach((box) => box.addEventListener("change", drawPoints));
  drawPoints().then(() => performance.mark("first chart"));
  if (pair) {
    at("points").on("plotly_click", (event) => pick(event.points[0].customdata));
    choose("y", () => {
      if (data.by_school[at("y").value]) at("measure").value = at("y").value;
    }, drawPair);
    ["a", "b"].forEach((id) => choose(id, drawPoints, drawPair));
    ["measure", "every"].forEach((id) => choose(id, drawPair));
    setTimeout(drawPair);
  }
})();
