// Where a Transformer looked in a text: every layer and head, explored without asking the server.
export default function ({ data, parentElement }) {
  const { header } = unpack(data)
  parentElement.textContent = header.title ?? header.said
}
