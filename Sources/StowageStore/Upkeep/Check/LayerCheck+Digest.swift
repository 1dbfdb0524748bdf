// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension LayerCheck {
  /// Makes the layer's archive again and compares digest and size with the record's.
  func checkDigest(
    _ subject: LayerSubject, _ forms: Set<ForeignForm>
  ) throws(StorageError) -> ([CheckFinding], isVerified: Bool) {
    guard let digest = subject.layer.record.diffDigest else { return ([], false) }
    let title = subject.title
    let roots: [FilePath]
    switch subject.contentRoots {
    case .success(let known): roots = known
    case .failure(let error): return ([CheckFinding(error.code, "\(title): \(error.message)", .none)], false)
    }
    var sink = DigestSink()
    let tarSplit = try subject.readableTarSplit()
    do throws(StorageError) {
      if let tarSplit {
        do throws(StorageError) { try reassembleLayer(tarSplit: tarSplit, roots: roots, to: sink) } catch {
          // What is not in the layer's own tree may be in those of lower layers, which are not looked for before.
          guard error.code != .cancelled, let all = try wholeRoots(of: subject), all != roots else { throw error }
          sink = DigestSink()
          try reassembleLayer(tarSplit: tarSplit, roots: all, to: sink)
        }
      } else {
        try store.read([.layers]) { (access) throws(StorageError) in
          let layers = access.layers
          try LayerComparison(of: subject.id.rawValue, from: nil, layers, store)
            .write(to: .sink(sink), Compression.none, isStrict: false, layers, isAnew: true)
        }
      }
    } catch {
      if error.code == .cancelled { throw error }
      // What lies in an additional layer store is missing only while that store is not there.
      let remedy: CheckFinding.Remedy = error.isEvidence && forms.isEmpty ? .deletion : .none
      // The reference meets it twice: in reading the archive, and in making it.
      return (
        [
          CheckFinding(error.code, "\(title): consume any trailer after the EOF marker: \(error.message)", remedy),
          CheckFinding(error.code, "\(title): \(error.message)", remedy),
        ], false
      )
    }
    // Without tar-split file the archive is another one although the tree is whole: it may be with another graph root. And who
    // pulls by table of contents may record the digest that it was told.
    let isProof = tarSplit != nil && subject.layer.record.tocDigest == nil
    let remedy: CheckFinding.Remedy = isProof ? .deletion : .none
    var found: [CheckFinding] = []
    if sink.digest != digest {
      let code = StorageError.Code.layerIncorrectContentDigest
      found.append(CheckFinding(code, "\(title): \(code.text)", remedy))
    }
    let size = subject.layer.record.diffSize
    if size != -1, sink.count != size {
      let code = StorageError.Code.layerIncorrectContentSize
      found.append(
        CheckFinding(code, "\(title): read \(sink.count) bytes instead of \(size) bytes: \(code.text)", remedy))
    }
    if tarSplit == nil, !found.isEmpty || subject.tarSplit != nil {
      let what = subject.tarSplit == nil ? "missing" : "damaged"
      found.append(
        found.isEmpty
          ? CheckFinding(.corrupt, "\(title): the tar-split file is damaged, and can be made again", .restoration)
          : CheckFinding(.corrupt, "\(title): the tar-split file is \(what), so the content is not verified", .none))
    }
    return (found, found.isEmpty)
  }

  /// Where the files of a layer's archive may be, lower layers included; `nil` if it has gone.
  private func wholeRoots(of subject: LayerSubject) throws(StorageError) -> [FilePath]? {
    guard subject.depth != nil else { return nil }
    return try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      return try layers.driver.contentRoots(of: subject.layer.location, over: layers.chain(of: subject.layer))
    }
  }
}
