// Choosing in a list: the whole page, a range, by key (j k to move, x to choose, Shift+x for a range), with a count.
(function () {
  var root = document.documentElement;

  function boxes(form) {
    return Array.prototype.slice.call(form.querySelectorAll("input[name=task]"));
  }
  function show(form) {
    var all = boxes(form), chosen = all.filter(function (box) { return box.checked; }).length;
    all.forEach(function (box) { box.closest("tr").classList.toggle("chosen", box.checked); });
    var told = form.querySelector("[data-chosen]"), page = form.querySelector("[data-page]");
    told.textContent = chosen ? told.dataset.chosen.replace("{n}", chosen) : "";
    page.checked = chosen > 0 && chosen === all.length;
    page.indeterminate = chosen > 0 && chosen < all.length;
  }
  function range(form, box, is_shift) {
    var all = boxes(form), from = all.indexOf(form.last), to = all.indexOf(box);
    if (is_shift && from >= 0) {
      all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach(function (each) { each.checked = box.checked; });
    }
    form.last = box;
    show(form);
  }
  function move(step) {
    var all = Array.prototype.slice.call(document.querySelectorAll("form[data-list] input[name=task]"));
    var next = all[all.indexOf(document.activeElement) + step] || all[step > 0 ? 0 : all.length - 1];
    if (next) next.focus();
  }
  function isTyping(target) {
    return target.isContentEditable || /^(textarea|select)$/.test(target.localName) || (target.localName === "input" && target.type !== "checkbox");
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("form[data-list]").forEach(function (form) {
      var page = form.querySelector("[data-page]");
      page.closest("label").hidden = false;
      page.addEventListener("change", function () {
        boxes(form).forEach(function (box) { box.checked = page.checked; });
        show(form);
      });
      form.addEventListener("click", function (event) {
        if (event.target.name === "task") range(form, event.target, event.shiftKey);
      });
      show(form);
    });
  });
  document.addEventListener("keydown", function (event) {
    if (root.dataset.letters === "off" || isTyping(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
    var key = event.key.toLowerCase(), box = document.activeElement;
    if (key === "j" || key === "k") { event.preventDefault(); move(key === "j" ? 1 : -1); }
    if (key === "x" && box && box.name === "task") {
      event.preventDefault();
      box.checked = !box.checked;
      range(box.form, box, event.shiftKey);
    }
  });
})();
