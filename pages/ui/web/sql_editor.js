// One editor per mounted cell. Streamlit calls the default export again whenever its data change.
const editors = new WeakMap()
const PAUSE = 700 // milliseconds without a key after which the text is saved

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component
  let editor = editors.get(parentElement)
  if (!editor) {
    editor = new Editor(parentElement)
    editors.set(parentElement, editor)
  }
  editor.update(data, setStateValue, setTriggerValue)
  return () => editor.save()
}

const WORDS = new Set(
  (
    "select from where group by order having limit offset with as join left right full inner outer cross using on and or not " +
    "in is null distinct union all except intersect case when then else end asc desc between like ilike exists pivot unpivot " +
    "into name value values describe summarize show tables explain exclude replace columns filter over partition qualify " +
    "cast try_cast true false semi anti lateral window rows range any some"
  ).split(" ")
)
const PARTS = /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*'?)|("(?:[^"]|"")*"?)|(\b\d+(?:\.\d+)?\b)|([A-Za-z_]\w*)|[\s\S]/g

class Editor {
  constructor(root) {
    this.root = root
    this.area = root.querySelector("#sql")
    this.area.oninput = () => this.typed()
    this.area.onblur = () => this.save()
    this.area.onkeydown = (event) => this.key(event)
  }

  // The text of the server counts when something else than this editor changed it: another stamp.
  update(data, setState, trigger) {
    this.setState = setState
    this.trigger = trigger
    this.area.setAttribute("aria-label", data.label)
    this.area.placeholder = data.placeholder
    if (this.stamp !== data.stamp) {
      this.stamp = data.stamp
      clearTimeout(this.timer)
      this.area.value = this.saved = data.sql
      this.show()
    }
  }

  typed() {
    this.show()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.save(), PAUSE)
  }

  save() {
    clearTimeout(this.timer)
    if (this.area.value === this.saved) return
    this.saved = this.area.value
    this.setState("sql", this.saved)
  }

  key(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    event.stopPropagation()
    clearTimeout(this.timer)
    this.saved = this.area.value
    this.trigger("run", { sql: this.saved, at: Date.now() })
  }

  show() {
    const shown = this.root.querySelector("#shown")
    const parts = []
    for (const [text, comment, string, , number, word] of this.area.value.matchAll(PARTS)) {
      const isWord = word && WORDS.has(word.toLowerCase())
      const kind = comment ? "comment" : string ? "text" : number ? "number" : isWord ? "word" : ""
      if (!kind) {
        parts.push(document.createTextNode(text))
        continue
      }
      const span = document.createElement("span")
      span.className = kind
      span.textContent = text
      parts.push(span)
    }
    shown.replaceChildren(...parts, document.createTextNode("\n"))
  }
}
