
"use strict";
(function () {
  var form = document.getElementById("filter");
  var words = document.getElementById("words");
  var release = document.getElementById("release");
  var kind = document.getElementById("kind");
  var shown = document.getElementById("shown");
  var rows = Array.from(document.querySelectorAll("tr[data-has]"));
  function fits(row, parts, wanted) {
    var there = wanted === "/" || row.dataset.has.split(" ").includes(wanted);
    return there ? parts.every(function (part) { return row.dataset.text.includes(part); }) : false;
  }
  function apply() {
    var parts = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    var wanted = release.value + "/" + kind.value;
    var number = 0;
    rows.forEach(function (row) {
      row.hidden = !fits(row, parts, wanted);
      number += row.hidden ? 0 : 1;
    });
    shown.textContent = number + " of " + rows.length + " products";
  }
  var asked = new URLSearchParams(location.hash.slice(1));
  words.value = asked.get("find") || "";
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  apply();
})();
