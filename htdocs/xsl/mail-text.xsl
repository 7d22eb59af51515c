<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- mail-text.xsl: the text part of a mail, in short lines, with the link on a line of its own. It
     has the words of the HTML part in the same order. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <xsl:include href="mail-words.xsl"/>

  <xsl:output method="text" encoding="UTF-8"/>
  <xsl:strip-space elements="*"/>

  <xsl:variable name="width" select="72"/>

  <xsl:template match="message">
    <xsl:variable name="what"><xsl:apply-templates select="." mode="what"/></xsl:variable>
    <xsl:variable name="otherwise"><xsl:apply-templates select="." mode="otherwise"/></xsl:variable>
    <xsl:value-of select="concat(@organization, '&#10;&#10;')"/>
    <xsl:value-of select="concat(m:text('mail.greeting', string(name)), '&#10;&#10;')"/>
    <xsl:call-template name="paragraph">
      <xsl:with-param name="text" select="$what"/>
    </xsl:call-template>
    <xsl:apply-templates select="origin"/>
    <xsl:apply-templates select="link"/>
    <xsl:call-template name="paragraph">
      <xsl:with-param name="text" select="$otherwise"/>
    </xsl:call-template>
    <xsl:call-template name="paragraph">
      <xsl:with-param name="text" select="m:text('mail.never')"/>
    </xsl:call-template>
    <xsl:value-of select="concat('- ', m:text('mail.never.word'), '&#10;')"/>
    <xsl:value-of select="concat('- ', m:text('mail.never.code'), '&#10;')"/>
    <xsl:value-of select="concat('- ', m:text('mail.never.pin'), '&#10;&#10;')"/>
    <xsl:value-of
        select="concat(m:text('mail.closing'), '&#10;', @organization, '&#10;', @url, '&#10;')"/>
  </xsl:template>

  <xsl:template match="origin">
    <xsl:value-of select="concat(m:text('mail.time', string(@written)), '&#10;')"/>
    <xsl:value-of select="concat(m:text('mail.address', string(@address)), '&#10;&#10;')"/>
  </xsl:template>

  <xsl:template match="link">
    <xsl:variable name="life"><xsl:apply-templates select="../life" mode="life"/></xsl:variable>
    <xsl:value-of select="concat(m:text('mail.reset.link'), ':&#10;&#10;')"/>
    <xsl:value-of select="concat(@href, '&#10;&#10;')"/>
    <xsl:call-template name="paragraph">
      <xsl:with-param name="text" select="$life"/>
    </xsl:call-template>
  </xsl:template>

  <!-- A text in lines of at most `width` characters, and an empty line. -->
  <xsl:template name="paragraph">
    <xsl:param name="text"/>
    <xsl:value-of select="concat(m:wrap(string($text), $width), '&#10;&#10;')"/>
  </xsl:template>

</xsl:stylesheet>
