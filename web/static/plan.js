// The plan editor: CodeMirror over the textarea, checked by the server while typing. Without it the textarea does.
import * as cm from "./vendor/codemirror.js";
import { keysAt, explained, offered } from "./plan-words.js";

const field = document.getElementById("text");
const form = field.form;
const said = JSON.parse(field.dataset.said);
let words = null;   // the schema with its explanations and the names that are known here
let isLeaving = false;

function say(message, number) {
  return said[message].replace("{n}", number);
}

// A column counts letters as people do; CodeMirror counts UTF-16 units.
function offset(doc, line, column) {
  const row = doc.line(Math.min(Math.max(line, 1), doc.lines));
  let at = 0;
  for (let letter = 1; letter < column && at < row.length; letter++) at += row.text.codePointAt(at) > 0xffff ? 2 : 1;
  return row.from + at;
}

function marked(doc, problem) {
  const from = offset(doc, problem.line, problem.column), row = doc.lineAt(from);
  const word = /^[^\s,\]}#]+/.exec(row.text.slice(from - row.from));
  const to = Math.min(word ? from + word[0].replace(/:$/, "").length : from + 1, row.to);
  return { from: from, to: Math.max(to, from), severity: problem.severity, message: problem.text };
}

function made(name, text, className) {
  const element = document.createElement(name);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

function list(problems) {
  const counts = document.getElementById("counts"), list = document.createElement("ol");
  const errors = problems.filter((each) => each.severity === "error").length, cares = problems.length - errors;
  counts.replaceChildren();
  if (!problems.length) counts.append(said.none);
  if (errors) counts.append(made("b", say("errors", errors), "danger"));
  if (errors && cares) counts.append(", ");
  if (cares) counts.append(made("span", say("warnings", cares), "warn"));
  list.className = "problems";
  problems.forEach((each) => {
    const item = made("li", "", each.severity), link = made("a", say("line", each.line).replace("{column}", each.column));
    link.href = "#text";
    link.dataset.line = each.line;
    link.dataset.column = each.column;
    item.append(link, " ", made(each.severity === "error" ? "b" : "span", said[each.severity] + ":"), " ", each.text);
    list.append(item);
  });
  document.getElementById("problems").replaceChildren(...(problems.length ? [list] : []));
}

async function check(view) {
  const doc = view.state.doc;
  try {
    const body = new URLSearchParams({ text: doc.toString() });
    const answer = await fetch(field.dataset.check, { method: "POST", body: body });
    if (!answer.ok) throw new Error(String(answer.status));
    const problems = (await answer.json()).problems;
    if (!view.state.doc.eq(doc)) return [];   // typed on since: the next answer comes
    list(problems);
    return problems.map((each) => marked(doc, each));
  } catch (error) {
    document.getElementById("problems").replaceChildren(made("p", said["no-answer"], "warn"));
    return [];
  }
}

function complete(context) {
  const place = words && keysAt(context.state.doc, context.pos);
  if (!place || (!context.explicit && context.pos === place.from)) return null;
  const options = offered(words, place);
  return options.length ? { from: place.from, options: options, validFor: /^[\w.-]*$/ } : null;
}

const hover = cm.hoverTooltip((view, pos, side) => {
  const row = view.state.doc.lineAt(pos);
  const before = /[\w-]*$/.exec(row.text.slice(0, pos - row.from))[0], after = /^[\w-]*/.exec(row.text.slice(pos - row.from))[0];
  const from = pos - before.length, to = pos + after.length;
  if (!words || from === to || (from === pos && side < 0) || (to === pos && side > 0)) return null;
  const about = explained(words, keysAt(view.state.doc, from), before + after);
  if (!about) return null;
  return { pos: from, end: to, above: true, create: () => ({ dom: made("p", about, "hint-box") }) };
});

const style = cm.HighlightStyle.define([
  { tag: [cm.tags.propertyName, cm.tags.definition(cm.tags.propertyName)], color: "var(--accent)" },
  { tag: cm.tags.comment, color: "var(--ink-3)" },
  { tag: cm.tags.string, color: "var(--good)" },
  { tag: [cm.tags.invalid], color: "var(--danger)" },
]);
const theme = cm.EditorView.theme({
  "&": { height: "clamp(320px, calc(100vh - 190px), 690px)", border: "1px solid var(--control)", borderRadius: "var(--r-2)", backgroundColor: "var(--surface)", color: "var(--ink)" },
  "&.cm-focused": { outline: "2px solid var(--ink)", outlineOffset: "1px" },
  ".cm-scroller": { font: "var(--t-2)/1.75 var(--mono)" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--ink-3)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--sunken)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--none)" },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--control)", font: "var(--t-2)/1.5 var(--sans)", maxWidth: "min(560px, 92vw)" },
  ".cm-panels": { maxWidth: "none" },
  ".cm-tooltip .hint-box": { margin: "0", padding: "6px 10px", maxWidth: "52ch" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionDetail": { color: "inherit", fontStyle: "normal" },
  ".cm-panel.cm-search": { display: "flex", flexWrap: "wrap", gap: "4px 8px", alignItems: "center", padding: "6px 36px 6px 8px" },
  ".cm-panel.cm-search input[type=text], .cm-panel.cm-search .cm-textfield": { width: "180px", border: "1px solid var(--control)", backgroundColor: "var(--surface)", color: "var(--ink)" },
  ".cm-panel.cm-search .cm-button": { backgroundImage: "none", backgroundColor: "var(--surface)", border: "1px solid var(--control)", color: "var(--ink)", minHeight: "28px" },
  ".cm-panel.cm-search label, .cm-panel.cm-search .cm-button, .cm-panel.cm-search .cm-textfield": { fontSize: "var(--t-2)" },
  ".cm-panel.cm-search [name=close]": { minWidth: "28px", minHeight: "28px", color: "var(--ink)", fontSize: "var(--t-4)" },
  ".cm-searchMatch": { backgroundColor: "var(--late)", color: "var(--on-late)" },
  ".cm-diagnostic": { padding: "6px 10px" },
});

const view = new cm.EditorView({
  doc: field.value,
  extensions: [
    cm.EditorView.cspNonce.of(field.dataset.nonce),
    cm.EditorState.phrases.of(said),
    cm.EditorView.contentAttributes.of({
      "aria-label": field.dataset.label, "aria-describedby": "editor-help", autocapitalize: "none", spellcheck: "false", tabindex: "0",
    }),
    cm.lineNumbers(), cm.highlightActiveLine(), cm.highlightActiveLineGutter(), cm.drawSelection(), cm.history(),
    cm.bracketMatching(), cm.closeBrackets(), cm.yaml(), cm.indentUnit.of("  "), cm.syntaxHighlighting(style), theme,
    cm.highlightSelectionMatches(), cm.search({ top: true }), cm.lintGutter(), cm.linter(check, { delay: 400 }), hover,
    cm.autocompletion({ override: [complete], icons: false }),
    cm.EditorView.updateListener.of((update) => {
      if (update.docChanged) document.getElementById("unsaved").textContent = isChanged() ? field.dataset.unsaved : "";
    }),
    cm.keymap.of([
      ...cm.closeBracketsKeymap, ...cm.completionKeymap, ...cm.lintKeymap, ...cm.searchKeymap, ...cm.historyKeymap,
      ...cm.defaultKeymap, cm.indentWithTab,
    ]),
  ],
});

function isChanged() {
  return view.state.doc.toString() !== field.defaultValue;
}

const at = document.activeElement === field ? field.selectionStart : -1;   // whoever was quicker goes on typing
field.hidden = true;
document.getElementById("editor-help").hidden = false;
field.after(view.dom);
if (at >= 0) {
  view.dispatch({ selection: { anchor: Math.min(at, view.state.doc.length) } });
  view.focus();
}
form.addEventListener("submit", () => {
  field.value = view.state.doc.toString();
  isLeaving = true;
});
addEventListener("beforeunload", (event) => {
  if (!isLeaving && isChanged()) event.preventDefault();
});
addEventListener("pageshow", () => { isLeaving = false; });
document.getElementById("problems").addEventListener("click", (event) => {
  const link = event.target.closest("a[data-line]");
  if (!link) return;
  event.preventDefault();
  const at = offset(view.state.doc, Number(link.dataset.line), Number(link.dataset.column));
  view.dispatch({ selection: { anchor: at }, effects: cm.EditorView.scrollIntoView(at, { y: "center" }) });
  view.focus();
});
fetch(field.dataset.words).then((answer) => answer.ok ? answer.json() : null).then((got) => { words = got; });
