"use strict";

// Shows the description that this deployment serves. Requests go to this deployment, whatever its host is.
const reference = document.querySelector("#reference");

function show(description) {
  description.servers = [{ url: window.location.origin, description: "This deployment." }];
  window.SwaggerUIBundle({
    spec: description,
    domNode: reference,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    presets: [window.SwaggerUIBundle.presets.apis],
    tryItOutEnabled: true,
    // Nothing leaves this deployment.
    validatorUrl: null,
  });
}

fetch("/openapi.json")
  .then((response) => {
    if (!response.ok) {
      throw new Error(`openapi.json: ${response.status}`);
    }
    return response.json();
  })
  .then(show)
  .catch((error) => {
    reference.textContent = `The description cannot be loaded (${error.message}). Reload the page to try again.`;
  });
