// SPDX-License-Identifier: Apache-2.0
private import StowageDigest
private import StowageImage
private import StowageModel
private import StowageOCI
private import SystemPackage

/// Reads the input as an archive of images: as it is, after making header checksums right, or made of documents.
///
/// Invariants: the index is the same whether contents are jumped over or read; digests are those of the bytes; layers are in the
/// file; names are normalised; a manifest that is made up can be read.
func fuzzDocuments(_ input: [UInt8]) {
  var archive = input
  if input.count > 262, input[257..<262].elementsEqual("ustar".utf8) {
    TarBlocks.repairChecksums(&archive)
  } else {
    archive = composed(input)
  }
  let path = Scratch.path.appending("archive.tar")
  Scratch.write(archive, to: path)
  // Errors are what is expected.
  try? check(path.string, size: Int64(archive.count))
}

private func check(_ path: String, size: Int64) throws {
  let survey = try ArchiveSurvey(.path(path), limit: SizeLimit(bytes: 1 << 20))
  let jumped = Result { try survey.members(jumpingOver: 0) }
  let read = Result { try survey.members(jumpingOver: .max) }
  switch (jumped, read) {
  case (.success(let jumped), .success(let read)): precondition(jumped == read, "jumping finds other members")
  case (.failure, .success): preconditionFailure("what can be read cannot be jumped over")
  case (_, .failure): break
  }
  for image in try survey.images() {
    precondition(image.configDigest == sha256(of: image.config), "another digest of the configuration")
    precondition(image.manifestDigest == sha256(of: image.manifest), "another digest of the manifest")
    precondition(image.layers.count <= 2048, "too many layers")
    // A compressed archive is another file.
    let end = read.success?.isEmpty == false ? max(size, 1 << 20) : size
    precondition(image.layers.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= end }, "a layer outside of the file")
    for name in image.names {
      let again = try? ImageName(normalizing: name)
      precondition(again?.description == name, "a name that is not normalised")
    }
    let manifest = try? ImageManifest(JSONDocument(name: "manifest", bytes: image.manifest))
    precondition(manifest?.layers.count == image.layers.count, "another number of layers in the manifest")
  }
}

/// Makes an archive of parts with NULs between them: each is a path, a line feed and content, where `@1` stands for the digest
/// of the first part behind this one, and `#1` for its size. The path `@` is that of a blob in an OCI layout, `>` in front
/// makes the part a link to what it contains.
private func composed(_ input: [UInt8]) -> [UInt8] {
  var archive: [UInt8] = []
  var described: [(digest: [UInt8], size: [UInt8])] = []
  let parts = input.split(separator: 0, maxSplits: 20, omittingEmptySubsequences: false)
  for part in parts.reversed() {
    let line = part.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
    let content = resolved(line.count == 2 ? line[1] : [], described)
    let digest = Array(sha256(of: content).hex.utf8)
    described.append((digest, Array(String(content.count).utf8)))
    switch line[0].first {
    case UInt8(ascii: "@"):
      archive += TarBlocks.header(Array("blobs/sha256/".utf8) + digest, type: UInt8(ascii: "0"), size: content.count)
      archive += TarBlocks.padded(content)
    case UInt8(ascii: ">"):
      archive += TarBlocks.header(Array(line[0].dropFirst()), type: UInt8(ascii: "2"), link: content)
    default:
      archive += TarBlocks.header(Array(line[0]), type: UInt8(ascii: "0"), size: content.count)
      archive += TarBlocks.padded(content)
    }
  }
  return archive + [UInt8](repeating: 0, count: 1024)
}

private func resolved(_ text: ArraySlice<UInt8>, _ described: [(digest: [UInt8], size: [UInt8])]) -> [UInt8] {
  var result: [UInt8] = []
  var rest = text
  while let byte = rest.popFirst() {
    let distance = Int(rest.first ?? 0) - Int(UInt8(ascii: "0"))
    guard byte == UInt8(ascii: "@") || byte == UInt8(ascii: "#"), 1...9 ~= distance, distance <= described.count else {
      result.append(byte)
      continue
    }
    rest.removeFirst()
    let part = described[described.count - distance]
    result += byte == UInt8(ascii: "@") ? part.digest : part.size
  }
  return result
}

extension Result {
  fileprivate var success: Success? { if case .success(let value) = self { value } else { nil } }
}
