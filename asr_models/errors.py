"""What can be wrong with a model, each with one sentence that tells the operator what to do.

* ModelError
  x UnknownModel        no such id in the catalog; names the nearest ones
  x NotAModel           a folder without a file that every Vosk model has; names the file
  x ModelBusy           another process installs or removes at this moment
  x NoDiskSpace         too little room for download and unpacking; says how much is wanted
  x BadCatalog          catalog.toml cannot be read
  x BadAudio            a file to be recognised that is not a WAV file of ours
  x BadTexts            a file of sentences that cannot be used
  x NotAdaptable        a model whose language model cannot be rebuilt, or not with what is installed here
  + FetchError          the archive could not be had
    - PublisherUnreachable  no answer, or a broken one; names the host, the mirror setting and the way by hand
    - NotAtPublisher        the host answered that it has no such file
  + ArchiveError        the archive is here and is not fit to be used; a downloaded one is deleted
    - WrongChecksum         not the bytes that the catalog, or the first install, knows
    - UnsafeArchive         paths outside, links, devices, or far more data than a model has
    - NoModelInside         sound, and not a Vosk model

Messages name models, hosts and the operator's own paths; they never hold anything that a caller said.
"""


class ModelError(Exception):
    """Something is wrong with a model; the text is one sentence for the operator."""


class UnknownModel(ModelError):
    """The catalog has no such id."""


class NotAModel(ModelError):
    """The folder is not a Vosk model."""


class ModelBusy(ModelError):
    """The models folder is locked by another process."""


class NoDiskSpace(ModelError):
    """There is not enough room."""


class BadCatalog(ModelError):
    """The catalog file cannot be read."""


class BadAudio(ModelError):
    """The audio file cannot be read."""


class BadTexts(ModelError):
    """The sentences cannot be read."""


class NotAdaptable(ModelError):
    """The model cannot be adapted."""


class FetchError(ModelError):
    """The archive could not be had."""


class PublisherUnreachable(FetchError):
    """The host did not answer, or broke off again and again."""


class NotAtPublisher(FetchError):
    """The host has no such file."""


class ArchiveError(ModelError):
    """The archive is not fit to be used."""


class WrongChecksum(ArchiveError):
    """The archive is not the one that the catalog knows."""


class UnsafeArchive(ArchiveError):
    """The archive would write outside its folder or is out of all proportion."""


class NoModelInside(ArchiveError):
    """The archive holds something else."""
