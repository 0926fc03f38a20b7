// Sorts a table by the column whose heading is pressed; a second press turns the order round.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), table = head.closest("table"), body = table.tBodies[0];
    const place = [...head.parentElement.children].indexOf(head);
    const turn = head.getAttribute("aria-sort");
    const down = turn ? turn === "ascending" : head.dataset.first === "down";
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = row => row.children[place].dataset.v ?? row.children[place].textContent.trim();
    const order = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === ""); // what is unknown comes last, either way
      const sign = down ? -1 : 1;
      const both = x - y;
      return sign * (Number.isNaN(both) ? x.localeCompare(y) : both);
    };
    body.append(...[...body.rows].sort(order));
  });
}
