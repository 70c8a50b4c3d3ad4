// Asks without leaving the page. Without this script the forms do the same with a page of their own.
(() => {
  const box = document.querySelector("[data-chat]");
  if (!box) return;
  const log = box.querySelector("[data-chat-log]"), form = box.querySelector("[data-chat-form]");
  const question = form.elements.question, said = box.querySelector("[data-chat-said]");
  const talk = box.querySelector("[data-chat-talk]");

  const ask = (from, extra) => {
    const given = new FormData(from);
    Object.entries({ part: "1", said: said.value, talk: talk.value, ...extra }).forEach(([name, value]) => given.set(name, value));
    from.setAttribute("aria-busy", "true");
    return fetch(from.action, { method: "POST", body: given })
      .then((answer) => (answer.ok || answer.status === 422 ? answer.text() : Promise.reject(answer.status)))
      .then((text) => {
        log.insertAdjacentHTML("beforeend", text);
        const turn = log.querySelector("[data-chat-turn]:last-child");
        if (turn.dataset.said) said.value = turn.dataset.said;
        if (turn.dataset.talk) talk.value = turn.dataset.talk;
        turn.scrollIntoView({ block: "nearest" });
      })
      .catch((status) => {
        const words = document.createElement("p");
        words.textContent = status === 429 ? "That were many questions. Wait a while, or write to a person with the form." : "That did not work. Write to a person with the form.";
        log.append(words);
      })
      .finally(() => from.removeAttribute("aria-busy"));
  };

  // The form for a ticket may be on this very page: then what was said goes right into it.
  const handOver = () => {
    const text = document.querySelector("main form:not([data-chat-form]) textarea[name=text]");
    if (!text) return false;
    const all = [said.value, question.value.trim()].filter(Boolean).join("\n"), lines = all.split("\n");
    const subject = text.form.elements.subject, chat = text.form.elements.chat;
    if (chat && talk.value) chat.value = talk.value;
    if (subject && !subject.value) subject.value = lines[lines.length - 1].slice(0, 120);
    if (!text.value.includes(all)) text.value = [all, text.value].filter(Boolean).join("\n\n");
    text.focus();
    return true;
  };

  box.addEventListener("submit", (event) => {
    const from = event.target, button = event.submitter;
    if (button && button.hasAttribute("data-chat-person")) {
      if (handOver()) event.preventDefault();
      return;
    }
    event.preventDefault();
    ask(from, button && button.name ? { [button.name]: button.value } : {}).then(() => {
      if (from === form) { question.value = ""; question.focus(); }
      if (from.matches("[data-chat-helped]")) from.remove();
    });
  });
})();
