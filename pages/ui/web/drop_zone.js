// One sender per mounted drop zone. Streamlit calls the default export again whenever its data change.
const senders = new WeakMap()

// Where several files may be dropped: by flow, those that wait for the one before them, and what was not sent.
const queues = new Map()
const refused = new Map()

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  let sender = senders.get(parentElement)
  if (!sender) {
    sender = new Sender(parentElement)
    senders.set(parentElement, sender)
  }
  sender.update(data, setTriggerValue)
  return () => sender.close()
}

const megabytes = (bytes) => (bytes < 1e6 ? Math.max(1, Math.round(bytes / 1e3)) + " KB" : (bytes / 1e6).toFixed(1) + " MB")
const time = (seconds) =>
  seconds < 60 ? Math.max(1, Math.round(seconds)) + " s" : Math.floor(seconds / 60) + " min " + Math.round(seconds % 60) + " s"
const online = () => new Promise((resolve) => window.addEventListener("online", resolve, { once: true }))
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

class Sender {
  constructor(root) {
    this.root = root
    this.phase = "idle" // idle | sending | paused | waiting | done
    const pick = this.at("pick")
    this.at("browse").onclick = () => pick.click()
    pick.onchange = () => pick.files.length && this.chooseAll([...pick.files])
    const zone = this.at("zone")
    zone.ondragover = (event) => {
      event.preventDefault()
      zone.classList.add("over")
    }
    zone.ondragleave = () => zone.classList.remove("over")
    zone.ondrop = (event) => {
      event.preventDefault()
      zone.classList.remove("over")
      if (this.phase === "idle") this.dropped(event.dataTransfer)
    }
    this.at("pause").onclick = () => (this.phase === "paused" ? this.run() : this.pause())
    this.at("cancel").onclick = () => this.cancel()
  }

  async dropped(transfer) {
    if (!transfer.files.length) return
    if (this.data.several) return this.chooseAll(await filesOf(transfer))
    if (transfer.files.length > 1) return this.problem("Drop one file at a time. Nothing was sent.")
    if (transfer.items?.[0]?.webkitGetAsEntry?.()?.isDirectory)
      return this.problem("This is a folder. Drop one file of it. Nothing was sent.")
    this.choose(transfer.files[0])
  }

  at(id) {
    return this.root.querySelector("#" + id)
  }

  update(data, trigger) {
    const hasNewTicket = this.data && this.data.ticket !== data.ticket
    this.data = data
    this.trigger = trigger
    this.at("limit").textContent = (data.kinds || "TSV, CSV or XLSX, plain or compressed") + ", up to " + data.limitText
    if (data.kinds) this.at("pick").removeAttribute("accept") // names of their own, which no browser knows
    if (data.several) {
      this.at("pick").multiple = true
      this.at("lead").textContent = "Drop files or a folder here"
      this.at("browse").textContent = "Choose files"
    }
    if (this.phase === "idle") this.problem(refused.get(data.several) || "")
    if (this.phase === "idle" && queues.get(data.several)?.length) return this.next()
    if (!hasNewTicket && this.phase === "idle") this.offerToGoOn()
    if (hasNewTicket && this.wantsTicket) {
      this.wantsTicket = false
      this.run()
    }
  }

  // After a reload the browser has let go of the file; what has arrived is still there.
  async offerToGoOn() {
    const mark = parsed(sessionStorage.getItem(this.storageKey()))
    if (!mark || this.isOffered) return
    this.isOffered = true
    const answer = await fetch(this.data.url + "/" + mark.upload, { method: "HEAD" }).catch(() => null)
    if (this.phase !== "idle") return
    if (!answer?.ok) return answer?.status === 403 ? this.forget() : undefined
    const offset = Number(answer.headers.get("Upload-Offset"))
    this.at("unfinished").textContent =
      `${megabytes(offset)} of ${megabytes(mark.size)} of a file arrived before this page was left. ` +
      "Choose the same file, and it goes on from there."
    this.at("unfinished").hidden = false
  }

  // One after the other: the next is sent when the page has taken the one before.
  chooseAll(files) {
    refused.delete(this.data.several)
    if (!files.length) return this.problem("There is no file in the folder. Nothing was sent.")
    queues.set(this.data.several, files.slice(1))
    this.choose(files[0])
  }

  next() {
    const file = this.data.several && queues.get(this.data.several)?.shift()
    if (file) this.choose(file)
  }

  close() {
    this.phase = "idle"
    this.request?.abort()
  }

  choose(file) {
    this.problem(refused.get(this.data.several) || "")
    if (file.size === 0) return this.refuse(file, "The file is empty. Choose a file that holds rows.")
    if (file.size > this.data.limit)
      return this.refuse(
        file,
        `The file has ${megabytes(file.size)}; the limit for files sent by the browser is ${this.data.limitText}. Nothing was sent.`
      )
    this.file = file
    this.upload = this.remembered(file)
    this.run()
  }

  refuse(file, message) {
    const flow = this.data.several
    const known = refused.get(flow)
    if (flow) refused.set(flow, `${known ? known + " " : ""}${file.name}: ${message}`)
    this.problem(flow ? refused.get(flow) : message)
    this.next()
  }

  async run() {
    this.phase = "sending"
    this.show()
    for (let failures = 0; this.phase === "sending" || this.phase === "waiting"; ) {
      try {
        const offset = this.upload ? await this.askOffset() : await this.begin()
        if (offset === null) return
        this.phase = "sending"
        if (await this.send(offset)) return this.finish()
        failures = 0
      } catch (error) {
        if (this.phase === "paused" || this.phase === "idle") return
        if (error.final) return this.fail(error.message)
        failures += 1
        this.phase = "waiting"
        this.show()
        await Promise.race([wait(Math.min(15000, 500 * 2 ** failures)), online()])
      }
    }
  }

  // The ticket becomes the id to send to. Null: the ticket was too old; the page is asked for a new one.
  async begin() {
    const answer = await fetch(this.data.url, {
      method: "POST",
      headers: {
        "X-Ticket": this.data.ticket,
        "X-File-Name": encodeURIComponent(this.file.name.slice(-120)),
        "X-File-Size": String(this.file.size),
      },
    })
    const body = await answer.json()
    if (answer.status === 403 && !this.askedTicket) {
      this.askedTicket = this.wantsTicket = true
      this.trigger("expired", Date.now())
      return null
    }
    if (!answer.ok) throw Object.assign(new Error(words(body)), { final: answer.status < 500 })
    this.upload = body.upload
    this.remember()
    return 0
  }

  async askOffset() {
    const answer = await fetch(this.data.url + "/" + this.upload, { method: "HEAD" })
    if (answer.status === 403) {
      this.forget()
      return this.begin()
    }
    if (!answer.ok) throw new Error("no answer")
    return Number(answer.headers.get("Upload-Offset"))
  }

  // Sends the rest in one request; true when all of it is safe.
  send(offset) {
    this.started = { at: performance.now(), from: offset }
    this.progress(offset)
    return new Promise((resolve, reject) => {
      const request = (this.request = new XMLHttpRequest())
      request.open("PATCH", this.data.url + "/" + this.upload)
      request.setRequestHeader("Content-Type", "application/offset+octet-stream")
      request.setRequestHeader("Upload-Offset", String(offset))
      request.upload.onprogress = (event) => this.progress(offset + event.loaded)
      request.onload = () => {
        if (request.status === 200) return resolve(JSON.parse(request.responseText).done)
        const isFinal = request.status >= 400 && request.status < 500 && request.status !== 409
        reject(Object.assign(new Error(isFinal ? words(parsed(request.responseText)) : "again"), { final: isFinal }))
      }
      request.onerror = request.onabort = request.ontimeout = () => reject(new Error("cut off"))
      request.send(this.file.slice(offset))
    })
  }

  pause() {
    this.phase = "paused"
    this.request?.abort()
    this.show()
  }

  cancel() {
    this.phase = "idle"
    this.request?.abort()
    if (this.upload) fetch(this.data.url + "/" + this.upload, { method: "DELETE" }).catch(() => {})
    this.forget()
    queues.delete(this.data.several)
    this.at("pick").value = ""
    this.show()
  }

  finish() {
    this.phase = "done"
    this.progress(this.file.size)
    this.show()
    this.trigger("received", this.upload)
    this.forget()
  }

  fail(message) {
    this.phase = "idle"
    this.forget()
    this.at("pick").value = ""
    this.show()
    this.refuse(this.file, message)
  }

  show() {
    const isIdle = this.phase === "idle"
    this.at("idle").hidden = !isIdle
    this.at("unfinished").hidden = true
    this.at("going").hidden = isIdle
    this.at("name").textContent = this.file ? this.file.name : ""
    this.at("pause").textContent = this.phase === "paused" ? "Resume" : "Pause"
    this.at("pause").hidden = this.phase === "done"
    this.at("cancel").hidden = this.phase === "done"
    const text = {
      sending: "Sending",
      paused: "Paused. Nothing is lost.",
      waiting: "The connection was lost. Trying again; what has arrived is safe.",
      done: "Received. Looking at it now.",
    }
    this.at("state").textContent = text[this.phase] || ""
  }

  progress(sent) {
    const share = sent / this.file.size
    this.at("fill").style.width = share * 100 + "%"
    this.at("bar").setAttribute("aria-valuenow", String(Math.round(share * 100)))
    const passed = (performance.now() - this.started.at) / 1000
    const speed = passed > 0.3 ? (sent - this.started.from) / passed : 0
    const left = speed > 0 && sent < this.file.size ? `, ${time((this.file.size - sent) / speed)} left` : ""
    const rate = speed > 0 ? `, ${megabytes(speed)}/s` : ""
    this.at("figures").textContent = `${megabytes(sent)} of ${megabytes(this.file.size)}${rate}${left}`
  }

  problem(message) {
    this.at("problem").textContent = message
    this.at("problem").hidden = !message
  }

  // Only ids and sizes are remembered, for this tab, so that choosing the same file after a reload goes on.
  storageKey() {
    return "onramp-upload-" + this.data.draft
  }
  remember() {
    const mark = { upload: this.upload, size: this.file.size, modified: this.file.lastModified }
    sessionStorage.setItem(this.storageKey(), JSON.stringify(mark))
  }
  remembered(file) {
    const mark = parsed(sessionStorage.getItem(this.storageKey()))
    return mark && mark.size === file.size && mark.modified === file.lastModified ? mark.upload : undefined
  }
  forget() {
    sessionStorage.removeItem(this.storageKey())
    this.upload = undefined
    this.askedTicket = false
  }
}

// The files that were dropped, those straight in folders too. Entries are only there until the event ends.
async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean)
  if (!entries.length) return [...transfer.files]
  const found = []
  for (const entry of entries) {
    const inside = entry.isDirectory ? await listed(entry) : [entry]
    for (const one of inside)
      if (one.isFile && !one.name.startsWith(".")) found.push(await new Promise((take, fail) => one.file(take, fail)))
  }
  return found.sort((one, other) => (one.name < other.name ? -1 : 1))
}

async function listed(folder) {
  const reader = folder.createReader()
  const found = []
  for (;;) {
    const some = await new Promise((take, fail) => reader.readEntries(take, fail))
    if (!some.length) return found
    found.push(...some)
  }
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function words(body) {
  const error = body && body.error
  return error ? `${error.message} ${error.hint}`.trim() : "The file was not accepted. Reload the page and try again."
}
