// Says in words why a passkey was not taken: allauth's scripts tell the console alone.
document.addEventListener("allauth.error", (event) => {
  const wrong = event.detail.exception && event.detail.exception.name;
  const said = document.getElementById("passkey-trouble") || document.createElement("p");
  said.id = "passkey-trouble";
  said.className = "dk-banner dk-banner--bad";
  said.setAttribute("role", "alert");
  said.textContent = wrong === "NotAllowedError"
    ? "No passkey was given. Try again, or take another way."
    : "This browser can’t use a passkey here. Take another way.";
  document.querySelector("form.dk-form").before(said);
  event.preventDefault();
});
