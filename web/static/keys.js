// The keyboard: moving in the matrix, going to a page, finding a unit, the list of keys.
// Keys of one character can be switched off (WCAG 2.1.4); <html data-letters="off"> says so to every other script.
(function () {
  var root = document.documentElement, PAGES = { b: "/", v: "/inbox", l: "/calendar", k: "/plans" };
  try { if (localStorage.getItem("letters") === "off") root.dataset.letters = "off"; } catch (e) { /* private window */ }

  function isTyping(target) {
    return target.isContentEditable || /^(input|textarea|select)$/.test(target.localName);
  }

  // Moving in the matrix: one tab stop, the last place that was in focus.
  var JUMP = 10;
  function rows() {
    return Array.prototype.slice.call(document.querySelectorAll(".matrix tbody tr"));
  }
  function place(row, column) {
    return row.cells[column] && row.cells[column].querySelector("a");
  }
  function rove() {
    var links = document.querySelectorAll(".matrix tbody a");
    if (!links.length) return;
    var stop = document.querySelector(".matrix tbody a:focus") || document.querySelector('.matrix tbody a[tabindex="0"]') || links[0];
    links.forEach(function (link) { link.tabIndex = link === stop ? 0 : -1; });
  }
  function along(all, row, column, step) {  // in its column, over places where there is nothing
    var to = row + step;
    while (all[to] && !place(all[to], column)) to += step > 0 ? 1 : -1;
    return all[to] && place(all[to], column);
  }
  function across(row, column, step) {
    var to = column + step;
    while (row.cells[to] && !place(row, to)) to += step;
    return row.cells[to] && place(row, to);
  }
  function end(row, step) {
    return across(row, step > 0 ? -1 : row.cells.length, step);
  }
  function next(key, isCtrl, from) {
    var cell = from.closest("td, th"), row = cell.parentNode, all = rows(), here = all.indexOf(row), column = cell.cellIndex;
    switch (key) {
      case "ArrowRight": return across(row, column, 1);
      case "ArrowLeft": return across(row, column, -1);
      case "ArrowDown": return along(all, here, column, 1);
      case "ArrowUp": return along(all, here, column, -1);
      case "Home": return isCtrl ? along(all, -1, column, 1) : end(row, 1);
      case "End": return isCtrl ? along(all, all.length, column, -1) : end(row, -1);
      case "PageDown": return along(all, Math.min(here + JUMP, all.length) - 1, column, 1) || along(all, all.length, column, -1);
      case "PageUp": return along(all, Math.max(here - JUMP, -1) + 1, column, -1) || along(all, -1, column, 1);
    }
  }
  function move(event) {
    var from = event.target.closest && event.target.closest(".matrix tbody a");
    if (!from || event.altKey || event.metaKey || event.shiftKey) return;
    var to = next(event.key, event.ctrlKey, from);
    if (to === undefined) return;
    event.preventDefault();
    if (!to) return;
    from.tabIndex = -1;
    to.tabIndex = 0;
    to.focus({ preventScroll: true });
    show(to.closest("td, th"));
  }
  function show(cell) {  // clear of the heads, which lie over the cells
    var box = cell.closest(".matrix"), head = box.querySelector("thead").offsetHeight, side = box.querySelector("tbody th").offsetWidth;
    var is = cell.getBoundingClientRect(), seen = box.getBoundingClientRect();
    if (is.top < seen.top + head) box.scrollTop -= seen.top + head - is.top;
    else if (is.bottom > seen.top + box.clientHeight) box.scrollTop += is.bottom - seen.top - box.clientHeight;
    if (cell.localName === "th") box.scrollLeft = 0;
    else if (is.left < seen.left + side) box.scrollLeft -= seen.left + side - is.left;
    else if (is.right > seen.left + box.clientWidth) box.scrollLeft += is.right - seen.left - box.clientWidth;
    if (is.top < 0 || is.bottom > innerHeight) cell.scrollIntoView({ block: "nearest" });
  }

  // The list of keys, and the keys of one character.
  function help(is_open) {
    var panel = document.getElementById("keys");
    if (!panel || panel.hidden === !is_open) return false;
    panel.hidden = !is_open;
    if (is_open) { panel.from = document.activeElement; panel.focus(); } else if (panel.from) panel.from.focus();
    return true;
  }
  var goes = 0;  // when g was pressed
  function letter(event) {
    if (root.dataset.letters === "off" || isTyping(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.timeStamp - goes < 1500 && PAGES[event.key]) {
      var link = document.querySelector('.nav a[href="' + PAGES[event.key] + '"]');
      goes = 0;
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    goes = event.key === "g" ? event.timeStamp : 0;
    var find = event.key === "/" && document.querySelector("input[name=find]");
    if (find) { event.preventDefault(); find.focus(); find.select(); }
    if (event.key === "?") { event.preventDefault(); help(document.getElementById("keys").hidden); }
  }

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && help(false)) return;
    move(event);
    if (!event.defaultPrevented) letter(event);
  });
  document.addEventListener("focusin", function (event) {
    if (event.target.closest && event.target.closest(".matrix tbody a")) rove();
  });
  document.addEventListener("htmx:afterSettle", rove);
  document.addEventListener("DOMContentLoaded", function () {
    rove();
    var switch_ = document.getElementById("letters");
    document.querySelectorAll("[data-keys]").forEach(function (button) {
      button.hidden = false;
      button.addEventListener("click", function () { help(document.getElementById("keys").hidden); });
    });
    if (!switch_) return;
    switch_.checked = root.dataset.letters !== "off";
    switch_.addEventListener("change", function () {
      if (switch_.checked) delete root.dataset.letters; else root.dataset.letters = "off";
      try { localStorage.setItem("letters", switch_.checked ? "on" : "off"); } catch (e) { /* private window */ }
    });
  });
})();
