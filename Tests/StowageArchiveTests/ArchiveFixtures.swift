// SPDX-License-Identifier: Apache-2.0
import StowageArchive
import StowageCompression
import StowageTestSupport
import Testing

/// Builds header blocks by hand, independently of the code under test.
struct RawHeader {
  var name: [UInt8] = Array("f".utf8)
  var typeflag: UInt8 = UInt8(ascii: "0")
  var size = Array("00000000000\0".utf8)
  var uid = Array("0000000\0".utf8)
  var mtime = Array("00000000000\0".utf8)
  var magic = Array("ustar\u{0}00".utf8)
  var prefix: [UInt8] = []
  var linkName: [UInt8] = []
  var extra: [(offset: Int, bytes: [UInt8])] = []
  var usesSignedChecksum = false
  var breaksChecksum = false

  init(_ name: String = "f", type: Character = "0", size: Int = 0) {
    self.name = Array(name.utf8)
    typeflag = type == "\0" ? 0 : type.asciiValue ?? 0
    self.size = octal(size, 11)
  }

  var bytes: [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: [UInt8], _ offset: Int) { block.replaceSubrange(offset..<(offset + text.count), with: text) }
    put(name, 0)
    put(Array("0000644\0".utf8), 100)
    put(uid, 108)
    put(Array("0000000\0".utf8), 116)
    put(size, 124)
    put(mtime, 136)
    put(Array("        ".utf8), 148)
    block[156] = typeflag
    put(linkName, 157)
    put(magic, 257)
    put(prefix, 345)
    for (offset, bytes) in extra { put(bytes, offset) }
    let sum =
      usesSignedChecksum
      ? block.reduce(0) { $0 + Int(Int8(bitPattern: $1)) } : block.reduce(0) { $0 + Int($1) }
    put(octal(sum + (breaksChecksum ? 1 : 0), 6) + [UInt8(ascii: " ")], 148)
    return block
  }
}

func octal(_ number: Int, _ digits: Int) -> [UInt8] {
  let text = String(number, radix: 8)
  return Array(String(repeating: "0", count: max(0, digits - text.utf8.count)).utf8) + Array(text.utf8) + [0]
}

/// Content padded to whole blocks.
func padded(_ content: [UInt8]) -> [UInt8] {
  content + [UInt8](repeating: 0, count: -content.count & 511)
}

let zeroBlocks = [UInt8](repeating: 0, count: 1024)

/// An `x` or `g` header with these records' text.
func pax(_ data: String, type: Character = "x") -> [UInt8] { pax(Array(data.utf8), type: type) }

func pax(_ data: [UInt8], type: Character = "x") -> [UInt8] {
  RawHeader("PaxHeaders.0/x", type: type, size: data.count).bytes + padded(data)
}

/// One record; the length is computed by trial.
func record(_ key: String, _ value: String) -> String {
  for length in 5..<2000 {
    let text = "\(length) \(key)=\(value)\n"
    if text.utf8.count == length { return text }
  }
  return ""
}

/// Reads everything; content with holes filled.
func readAll(
  _ bytes: [UInt8], chunk: Int = 1 << 20, contentLimit: Int = 1 << 24, observer: (any TarObserver)? = nil
) throws(ArchiveError) -> [(header: TarHeader, content: [UInt8])] {
  let reader = TarReader(BytesSource(bytes, chunkSize: chunk), observer: observer)
  var entries: [(header: TarHeader, content: [UInt8])] = []
  while let header = try reader.next() {
    var content: [UInt8] = []
    while content.count < contentLimit {
      let part = try reader.readContent()
      if part.isEmpty { break }
      content.append(contentsOf: part)
    }
    entries.append((header, content))
  }
  try reader.drain()
  return entries
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// The text of the error, or that there was none.
func failure(_ body: () throws(ArchiveError) -> Void) -> String {
  do throws(ArchiveError) {
    try body()
    return "no error"
  } catch { return error.message }
}

/// Fills the current directory with what archives may hold. Needs root for the devices.
let treeScript = """
  mkdir -p t/d/e && cd t && echo hello > d/f && ln -s f d/s && ln d/f d/h && mkfifo d/p && mknod d/c c 300 70000
  head -c 100000 /dev/urandom > d/r && touch 'é' '<&>' "$(printf 'tab\\there')" 'q"uote\\'
  mkdir -p $(printf 'p%.0s' $(seq 60))/$(printf 'q%.0s' $(seq 60))
  echo y > $(printf 'p%.0s' $(seq 60))/$(printf 'q%.0s' $(seq 60))/z
  truncate -s 3M sp && printf abc | dd of=sp bs=1 seek=1000000 conv=notrunc status=none
  printf end | dd of=sp bs=1 seek=2500000 conv=notrunc status=none
  chmod 4755 d/f; touch -d '2001-02-03 04:05:06.5' d/e; cd ..;
  """

/// Writes content of the current entry.
func add(_ content: [UInt8], to writer: TarWriter) throws(ArchiveError) {
  let source = BytesSource(content)
  while true {
    let chunk = source.nextChunk()
    if chunk.isEmpty { return }
    try writer.write(chunk)
  }
}
