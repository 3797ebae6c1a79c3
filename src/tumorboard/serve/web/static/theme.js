// Sets the theme before anything is drawn; dark unless the reader chose otherwise on this machine.
"use strict";
try {
  if (localStorage.getItem("theme") === "light") document.documentElement.dataset.theme = "light";
} catch { /* storage is barred: dark */ }
