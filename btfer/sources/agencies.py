"""Where picture agencies show previews: watermarked, for sale, and of people who agreed to no data set.

Found in most results of a picture search; a setting (`agency_previews`) lets them in.
"""

PREVIEW_HOSTS = frozenset(
    {
        *("media.gettyimages.com", "media.istockphoto.com", "gettyimages.com", "istockphoto.com"),
        *("shutterstock.com", "alamy.com", "dreamstime.com", "123rf.com", "depositphotos.com"),
        *("ftcdn.net", "stock.adobe.com", "bigstockphoto.com", "canstockphoto.com"),
        *("pond5.com", "agefotostock.com", "stocksy.com", "superstock.com", "colourbox.com"),
        *("panthermedia.net", "imago-images.com", "imago-images.de", "profimedia.com"),
        *("masterfile.com", "westend61.de", "mostphotos.com", "vectorstock.com", "imagebroker.com"),
        *("visualchinagroup.com", "vcg.com", "pixtastock.com"),
    }
)
